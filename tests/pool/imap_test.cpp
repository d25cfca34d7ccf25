// imap and imap_unordered: results one after another, while elements come.

#include <atomic>
#include <iterator>
#include <list>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "kinds.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::pooltest {
namespace {

static_assert(std::ranges::input_range<ResultRange<int>>);
static_assert(std::ranges::input_range<ResultRange<void>>);

template <class Kind>
class PoolImap : public testing::Test {};
TYPED_TEST_SUITE(PoolImap, PoolKinds, PoolKindNames);

TYPED_TEST(PoolImap, GivesResultsInOrder) {
  TypeParam pool(2);
  for (const std::size_t chunksize : {0U, 1U, 2U, 7U, 5000U}) {
    int expected = 0;
    for (const int result :
         pool.imap(square, std::views::iota(0, 3000), {.chunksize = chunksize})) {
      ASSERT_EQ(result, expected * expected);
      ++expected;
    }
    EXPECT_EQ(expected, 3000);
  }
}

TYPED_TEST(PoolImap, UnorderedGivesEachOnce) {
  TypeParam pool(2);
  for (const std::size_t chunksize : {1U, 7U}) {
    std::multiset<int> results;
    for (const int result : pool.imap_unordered([](int x) { return x; }, std::views::iota(0, 3000),
                                                {.chunksize = chunksize})) {
      results.insert(result);
    }
    EXPECT_EQ(results.size(), 3000U);
    EXPECT_EQ(std::set<int>(results.begin(), results.end()).size(), 3000U);
  }
}

TYPED_TEST(PoolImap, RangesOfEveryKind) {
  TypeParam pool(2);
  const auto all = [](auto range) {
    std::vector<int> results;
    for (const int result : range) {
      results.push_back(result);
    }
    return results;
  };
  const std::vector<int> expected{1, 4, 9};
  const std::list<int> list{1, 2, 3};
  EXPECT_EQ(all(pool.imap(square, list)), expected);
  EXPECT_EQ(all(pool.imap(square, std::list<int>{1, 2, 3})), expected);
  EXPECT_EQ(all(pool.imap(square, {1, 2, 3})), expected);
  EXPECT_EQ(all(pool.imap_unordered(square, {5})), std::vector<int>{25});
  EXPECT_EQ(all(pool.imap(square, std::vector<int>{})), std::vector<int>{});
  std::istringstream numbers("1 2 3");
  EXPECT_EQ(all(pool.imap(square, std::views::istream<int>(numbers))), expected);
  std::istringstream more("1 2 3");
  auto lvalue = std::views::istream<int>(more);  // its iterator can only be moved
  EXPECT_EQ(all(pool.imap(square, lvalue)), expected);
}

TYPED_TEST(PoolImap, AnInfiniteRangeIsReadNoFurtherThanTheWindow) {
  TypeParam pool(2);
  int taken = 0;
  const auto numbers = std::views::iota(0) | std::views::transform([&taken](int x) {
                         ++taken;
                         return x;
                       });
  auto results = pool.imap(square, numbers);
  EXPECT_EQ(taken, 0);  // nothing is taken before something is asked for
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(results.next(), i * i);
    ASSERT_LE(taken, i + 1 + (i < 16 ? 64 : 1024));  // it grows where results are read fast
  }
  taken = 0;
  auto few = pool.imap_unordered(square, numbers, {.chunksize = 3, .buffersize = 5});
  for (int i = 0; i < 100; ++i) {
    few.next();
    ASSERT_LE(taken, i + 1 + 6);  // 5 are two chunks of 3
  }
}

TYPED_TEST(PoolImap, UnorderedDoesNotWaitForASlowOne) {
  Tally gate;
  TypeParam pool(2);
  auto results = pool.imap_unordered(bind(
                                         [](Where where, int x) {
                                           if (x == 0) {
                                             await(where);
                                           }
                                           return x;
                                         },
                                         gate.where()),
                                     std::views::iota(0, 2000));
  std::set<int> had;
  for (int i = 0; i < 1999; ++i) {
    had.insert(results.next());
  }
  EXPECT_EQ(had.size(), 1999U);
  EXPECT_FALSE(had.contains(0));
  gate[0] = 1;
  EXPECT_EQ(results.next(), 0);
}

TYPED_TEST(PoolImap, NextGivesUpAndCanBeAskedAgain) {
  Tally gate;
  TypeParam pool(1);
  auto results = pool.imap(
      [](Where where) {
        await(where);
        return 7;
      },
      {gate.where()});
  EXPECT_THROW(results.next(0ms), TimeoutError);
  EXPECT_THROW(results.next(10ms), TimeoutError);
  EXPECT_THROW(results.next(-1ms), TimeoutError);
  gate[0] = 1;
  EXPECT_EQ(results.next(), 7);
  EXPECT_THROW(results.next(), StopIteration);
  EXPECT_THROW(results.next(0ms), StopIteration);
}

TYPED_TEST(PoolImap, AnExceptionComesAtItsTurnAndTheRestBehindIt) {
  TypeParam pool(2);
  for (const std::size_t chunksize : {1U, 3U, 100U}) {
    auto results = pool.imap(throws_at_three, std::views::iota(0, 10), {.chunksize = chunksize});
    for (int i = 0; i < 10; ++i) {
      if (i != 3) {
        ASSERT_EQ(results.next(), i);
        continue;
      }
      try {
        results.next();
        FAIL();
      } catch (const std::out_of_range& error) {
        EXPECT_STREQ(error.what(), "three");
        ASSERT_NE(remote_trace(error), nullptr);
        EXPECT_EQ(remote_trace(error)->task_index(), 3U);
        EXPECT_NE(remote_trace(error)->pid(), 0);
      }
    }
    EXPECT_THROW(results.next(), StopIteration);
    std::size_t had = 0;
    auto loop =
        pool.imap_unordered(throws_at_three, std::views::iota(0, 10), {.chunksize = chunksize});
    for (bool thrown = true; thrown;) {
      thrown = false;
      try {
        for (const int result : loop) {
          had += result == 3 ? 100 : 1;
        }
      } catch (const std::out_of_range&) {
        thrown = true;  // begin() again goes on
      }
    }
    EXPECT_EQ(had, 9U);
  }
}

TYPED_TEST(PoolImap, WhatTheRangeThrowsComesBehindTheResults) {
  TypeParam pool(2);
  const auto numbers = std::views::iota(0) | std::views::transform([](int x) {
                         return x == 5 ? throw std::domain_error("no sixth") : x;
                       });
  auto results = pool.imap(square, numbers, {.chunksize = 2});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(results.next(), i * i);
  }
  EXPECT_THROW(results.next(), std::domain_error);
  EXPECT_THROW(results.next(), StopIteration);
}

TYPED_TEST(PoolImap, LargeResultsAndFunctionsWithoutAny) {
  TypeParam pool(2);
  std::size_t size = 0;
  for (const std::string& text :
       pool.imap([](std::size_t n) { return std::string(n, 't'); },
                 {std::size_t{1} << 21U, std::size_t{0}, std::size_t{9}}, {.chunksize = 2})) {
    size += text.size();
  }
  EXPECT_EQ(size, (std::size_t{1} << 21U) + 9);
  Tally tally(5);
  auto nothing = pool.imap_unordered(
      bind([](Where where, std::size_t i) { ++counter(where, i); }, tally.where()),
      std::views::iota(std::size_t{0}, std::size_t{5}));
  for (int i = 0; i < 5; ++i) {
    nothing.next();
  }
  EXPECT_THROW(nothing.next(), StopIteration);
  EXPECT_EQ(tally.other_than(1), 0U);
  std::size_t count = 0;
  for ([[maybe_unused]] const std::monostate none : pool.imap([](int) {}, {1, 2, 3})) {
    ++count;
  }
  EXPECT_EQ(count, 3U);
}

TYPED_TEST(PoolImap, ProgressIsToldOfEachResult) {
  TypeParam pool(2);
  std::vector<std::pair<std::size_t, std::size_t>> told;
  for ([[maybe_unused]] const int result :
       pool.imap(square, {1, 2, 3}, {.progress = [&](std::size_t done, std::size_t total) {
                   told.emplace_back(done, total);
                 }})) {
  }
  EXPECT_EQ(told, (std::vector<std::pair<std::size_t, std::size_t>>{{1, 3}, {2, 3}, {3, 3}}));
}

// pains.md 17: close() and join() with a ResultRange that is half read.
TYPED_TEST(PoolImap, Pain17_GoesOnAfterCloseAndEndsAfterJoin) {
  TypeParam pool(2);
  auto closed = pool.imap(square, std::views::iota(0, 500));
  auto joined = pool.imap(square, std::views::iota(0));
  EXPECT_EQ(joined.next(), 0);
  pool.close();
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(closed.next(), i * i);
  }
  EXPECT_THROW(closed.next(), StopIteration);
  EXPECT_EQ(joined.next(), 1);
  EXPECT_THROW(pool.imap(square, {1}), ProcessError);
  pool.join();
  int had = 2;
  try {
    for (;; ++had) {
      ASSERT_EQ(joined.next(), had * had);
    }
  } catch (const StopIteration&) {
    FAIL() << "an infinite range has no end";
  } catch (const ProcessError& error) {
    EXPECT_NE(std::string(error.what()).find("join"), std::string::npos) << error.what();
  }
  EXPECT_GT(had, 2);
}

TYPED_TEST(PoolImap, IsCancelledByTerminate) {
  Tally gate;
  TypeParam pool(1);
  auto results = pool.imap([](int x) { return x; }, std::views::iota(0));
  EXPECT_EQ(results.next(), 0);
  pool.terminate();
  EXPECT_THROW(
      {
        for (;;) {
          results.next();
        }
      },
      Cancelled);
  EXPECT_THROW(results.next(), Cancelled);
}

TYPED_TEST(PoolImap, OutlivesItsPool) {
  auto pool = std::make_unique<TypeParam>(1);
  auto results = pool->imap(square, {1, 2});
  EXPECT_EQ(results.next(), 1);
  pool->close();
  pool.reset();  // joins
  EXPECT_EQ(results.next(), 4);
  EXPECT_THROW(results.next(), StopIteration);
}

TYPED_TEST(PoolImap, LetGoEarlyDropsWhatWaits) {
  Tally tally(3);
  TypeParam pool(1);
  {
    auto results = pool.imap(bind(
                                 [](Where where, int x) {
                                   ++counter(where, 1);
                                   if (x == 1) {
                                     await(where);
                                   }
                                   return x;
                                 },
                                 tally.where()),
                             std::views::iota(0));
    EXPECT_EQ(results.next(), 0);
    until([&] { return tally[1] == 2; });
  }  // one runs, others wait
  const auto after = pool.apply_async(square, 9);
  EXPECT_FALSE(after.ready());
  tally[0] = 1;
  EXPECT_EQ(after.get(), 81);
  EXPECT_EQ(tally[1], 2U);
  pool.close();
  pool.join();
}

TYPED_TEST(PoolImap, SeveralAtATimeAndFromSeveralThreads) {
  TypeParam pool(2);
  auto odd = pool.imap(square, std::views::iota(0));
  auto even = pool.imap_unordered(square, std::views::iota(0, 50));
  std::atomic<int> wrong = 0;
  std::thread other([&] {
    auto third = pool.imap(square, std::views::iota(0, 500));
    for (int i = 0; i < 500; ++i) {
      wrong += third.next() != i * i ? 1 : 0;
    }
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(odd.next(), i * i);
    even.next();
  }
  EXPECT_THROW(even.next(), StopIteration);
  other.join();
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(PoolImap, MoreElementsThanSlotsAndBlocksAreGivenBack) {
  TypeParam pool(2);
  pool.map(square, std::views::iota(0, 100));
  const std::uint64_t before = heap::audit().blocks;
  {
    std::size_t sum = 0;
    for (const std::string& text :
         pool.imap_unordered([](std::size_t n) { return std::string(n, 'x'); },
                             std::views::iota(std::size_t{0}, std::size_t{5000}))) {
      sum += text.size();
    }
    EXPECT_EQ(sum, 5000U * 4999U / 2);
  }
  EXPECT_EQ(heap::audit().blocks, before);
}

TEST(PoolImapLost, AWorkerThatDiesFailsItsElementAlone) {
  Pool pool(2);
  for (const std::size_t chunksize : {1U, 4U}) {
    auto results = pool.imap([](int x) { return x == 5 ? std::abort(), 0 : x; },
                             std::views::iota(0, 12), {.chunksize = chunksize});
    for (int i = 0; i < 12; ++i) {
      if (i != 5) {
        ASSERT_EQ(results.next(), i);
        continue;
      }
      try {
        results.next();
        FAIL();
      } catch (const WorkerLost& lost) {
        EXPECT_EQ(lost.exitcode(), -SIGABRT);
        EXPECT_EQ(lost.task_index(), 5U);
      }
    }
    EXPECT_THROW(results.next(), StopIteration);
  }
  Tally tally;
  auto again = pool.imap(bind(
                             [](Where where, int x) {
                               if (x == 2 && ++counter(where) == 1) {
                                 std::abort();
                               }
                               return x;
                             },
                             tally.where()),
                         std::views::iota(0, 4), {.chunksize = 2, .retries = 1});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(again.next(), i);
  }
  EXPECT_EQ(tally[0], 2U);
}

TYPED_TEST(PoolImap, ATimeOutFailsItsElementAlone) {
  TypeParam pool(2);
  for (const std::size_t chunksize : {1U, 3U}) {
    const Tally gate(2);
    auto results = pool.imap(bind(
                                 [](Where where, int x) {
                                   if (x == 4) {
                                     await(where);
                                     counter(where, 1) = 1;
                                   }
                                   return x;
                                 },
                                 gate.where()),
                             std::views::iota(0, 9), {.chunksize = chunksize, .timeout = 300ms});
    for (int i = 0; i < 9; ++i) {
      if (i == 4) {
        EXPECT_THROW(results.next(), TimeoutError);
      } else {
        ASSERT_EQ(results.next(), i);
      }
    }
    EXPECT_THROW(results.next(), StopIteration);
    gate[0] = 1;  // for a thread, which nobody can stop
    EXPECT_EQ(pool.map([](int x) { return x; }, {1, 2, 3}, {.chunksize = 1}).size(), 3U);
    if (std::is_same_v<TypeParam, ThreadPool>) {
      until([&] { return gate[1] == 1; });  // it has left the gate
    }
  }
  EXPECT_THROW(pool.imap(square, {1}, {.timeout = 0ms}), std::invalid_argument);
}

TEST(PoolImapLost, AKillWhileItIsWaitedFor) {
  Pool pool(1);
  auto results = pool.imap_unordered(
      [](int x) {
        ::kill(::getpid(), SIGKILL);
        return x;
      },
      {1, 2, 3});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(results.next(), WorkerLost);
  }
  EXPECT_THROW(results.next(), StopIteration);
}

TYPED_TEST(PoolImap, FailsAllThatATerminatedPoolLeftAndThenEnds) {
  for (const bool ordered : {true, false}) {
    for (const int size : {3, 100'000}) {
      TypeParam pool(1);
      int pulled = 0;
      const auto elements = std::views::iota(0, size) | std::views::transform([&](int x) {
                              ++pulled;
                              return x;
                            });
      auto results = ordered ? pool.imap(square, elements) : pool.imap_unordered(square, elements);
      EXPECT_EQ(results.next(), 0);
      pool.terminate();
      int values = 1;
      int failures = 0;
      EXPECT_THROW(
          for (;;) {
            try {
              results.next();
              ++values;
            } catch (const Cancelled&) {
              ++failures;
            }
            ASSERT_LE(values + failures, pulled + 1);
          },
          StopIteration);
      EXPECT_THROW(results.next(), StopIteration);
      // Once more where the range has more.
      EXPECT_EQ(values + failures, pulled == size ? size : pulled + 1);
    }
  }
}

}  // namespace
}  // namespace procession::pooltest
