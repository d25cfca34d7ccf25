// imap over ranges that let their reader wait: what was taken from them is run meanwhile, and what
// has ended is not kept from the reader.

#include <ranges>
#include <string>

#include "kinds.hpp"
#include "pool/source_speed.hpp"
#include "procession/executor.hpp"

namespace procession::pooltest {
namespace {

int count_and_square(Where tally, int x) {
  ++counter(tally);
  return x * x;
}

template <class Kind>
class PoolImapSlow : public testing::Test {};
TYPED_TEST_SUITE(PoolImapSlow, PoolKinds, PoolKindNames);

// The range gives some elements at once and then no more until all of them were run: as lines do
// that come in bursts.
TYPED_TEST(PoolImapSlow, WhatWasTakenIsRunWhileTheRangeLetsWait) {
  for (const int burst : {1, 2, 5, 40, 900}) {
    const Tally tally;
    TypeParam pool(2);
    const auto lines = std::views::iota(0, 3 * burst) | std::views::transform([&](int x) {
                         if (x % burst == 0) {
                           until([&] { return tally[0] >= static_cast<std::uint32_t>(x); });
                         }
                         return x;
                       });
    int expected = 0;
    for (const int result : pool.imap(procession::bind(count_and_square, tally.where()), lines,
                                      {.buffersize = 1000})) {
      EXPECT_EQ(result, expected * expected);
      ++expected;
    }
    EXPECT_EQ(expected, 3 * burst);
  }
}

TYPED_TEST(PoolImapSlow, ResultsComeBeforeMoreThanWorkersNeedIsTaken) {
  TypeParam pool(2);
  int taken = 0;
  const auto slow = std::views::iota(0, 12) | std::views::transform([&](int x) {
                      std::this_thread::sleep_for(10ms);
                      ++taken;
                      return x;
                    });
  auto ordered = pool.imap(square, slow);
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(ordered.next(), i * i);
    EXPECT_LE(taken, i + 1 + 4);  // two for each worker
  }
  taken = 0;
  auto unordered = pool.imap_unordered(square, slow);
  for (int i = 0; i < 12; ++i) {
    unordered.next();
    EXPECT_LE(taken, i + 1 + 4);
  }
}

TEST(ExecutorMapSlow, ResultsComeBeforeMoreThanWorkersNeedIsTaken) {
  ProcessPoolExecutor executor(2);
  int taken = 0;
  const auto slow = std::views::iota(0) | std::views::transform([&](int x) {
                      std::this_thread::sleep_for(10ms);
                      ++taken;
                      return x;
                    });
  auto results = executor.map(square, slow);
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(results.next(), i * i);
    EXPECT_LE(taken, i + 1 + 4);
  }
}

TYPED_TEST(PoolImapSlow, TasksRunBesideEachOtherAllTheSame) {
  const Tally running(2);
  TypeParam pool(2);
  const auto slow = std::views::iota(0, 8) | std::views::transform([](int x) {
                      std::this_thread::sleep_for(5ms);
                      return x;
                    });
  // Each waits for another one that runs beside it.
  const auto meet = [](Where where, int x) {
    const std::uint32_t mine = ++counter(where);
    until([&] { return counter(where) >= mine + mine % 2; });
    return x;
  };
  int count = 0;
  for (const int result : pool.imap(procession::bind(meet, running.where()), slow)) {
    EXPECT_EQ(result, count++);
  }
  EXPECT_EQ(count, 8);
}

TYPED_TEST(PoolImapSlow, ATimeOutEndsTheTakingOfElements) {
  const Tally gate;
  TypeParam pool(2);
  int taken = 0;
  const auto slow = std::views::iota(0, 5) | std::views::transform([&](int x) {
                      std::this_thread::sleep_for(5ms);
                      ++taken;
                      return x;
                    });
  auto results = pool.imap(procession::bind(after, gate.where()), slow);
  for (int i = 1; i <= 4; ++i) {
    EXPECT_THROW(results.next(1ms), TimeoutError);
    EXPECT_EQ(taken, i) << "one for each time that it was asked";
  }
  EXPECT_THROW(results.next(1ms), TimeoutError);
  EXPECT_EQ(taken, 4) << "two for each worker";
  gate[0] = 1;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(results.next(), i);
  }
}

using detail::SourceSpeed;

TEST(SourceSpeed, HandsOverAtOnceWhileItDoesNotKnow) {
  SourceSpeed sizer;
  sizer.begin();
  EXPECT_NE(sizer.pulled(false), SourceSpeed::Advice::hold);
}

TEST(SourceSpeed, LooksAfterASlowPull) {
  SourceSpeed sizer;
  sizer.begin();
  std::this_thread::sleep_for(SourceSpeed::kSlow);
  EXPECT_EQ(sizer.pulled(false), SourceSpeed::Advice::look);
  EXPECT_TRUE(sizer.slow());
  EXPECT_GE(sizer.wait_for_results(), SourceSpeed::kSlow / 4);
}

TEST(SourceSpeed, HoldsOfAFastSourceUntilTimeHasPassed) {
  SourceSpeed sizer;
  // Once it is sure, which another program may keep it from.
  until([&] {
    sizer.begin();
    for (int i = 0; i < SourceSpeed::kFastPulls; ++i) {
      sizer.pulled(false);
    }
    return sizer.pulled(false) == SourceSpeed::Advice::hold;
  });
  EXPECT_EQ(sizer.pulled(true), SourceSpeed::Advice::look);
  EXPECT_FALSE(sizer.slow());
}

TEST(SourceSpeed, WaitsMoreSeldomTheMoreOftenItWasInVain) {
  SourceSpeed sizer;
  sizer.begin();
  std::this_thread::sleep_for(SourceSpeed::kSlow);
  sizer.pulled(false);
  int waits = 0;
  for (int i = 0; i < 64; ++i) {
    if (sizer.wait_for_results() != std::chrono::nanoseconds(0)) {
      ++waits;
      sizer.waited(false);
    }
  }
  EXPECT_LT(waits, 10);
  EXPECT_GT(waits, 3);
  sizer.waited(true);
  while (sizer.wait_for_results() == std::chrono::nanoseconds(0)) {
  }
  EXPECT_NE(sizer.wait_for_results(), std::chrono::nanoseconds(0))
      << "one that came makes it whole again";
}

}  // namespace
}  // namespace procession::pooltest
