// Tasks that are not wanted any more.

#include <ranges>

#include "procession/error.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

int run_on(Where started) {
  ++counter(started);
  for (;;) {
    std::this_thread::sleep_for(1s);
  }
}
int count_and_wait(Where tally, int x) {
  ++counter(tally, 1);
  await(tally);
  return x;
}

class PoolCancel : public testing::TestWithParam<StartMethod> {
 protected:
  [[nodiscard]] static PoolOptions options(std::size_t processes) {
    return {.processes = processes, .start_method = GetParam()};
  }
};

TEST_P(PoolCancel, AQueuedTaskNeverRuns) {
  Tally tally(2);
  Pool pool(options(1));
  const auto first = pool.apply_async(count_and_wait, tally.where(), 1);
  until([&] { return tally[1] == 1; });
  const auto second = pool.apply_async(count_and_wait, tally.where(), 2);
  const auto third = pool.apply_async(count_and_wait, tally.where(), 3);
  EXPECT_TRUE(second.cancel());
  EXPECT_TRUE(second.ready());
  EXPECT_THROW(second.get(), Cancelled);
  EXPECT_FALSE(second.cancel());
  tally[0] = 1;
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(third.get(), 3);
  EXPECT_EQ(tally[1], 2U);
  EXPECT_FALSE(first.cancel());
  EXPECT_EQ(first.get(), 1);
}

TEST_P(PoolCancel, ManyTimesOverWhileTheWorkerIsBusy) {
  // More than there are places in the ring.
  Tally tally(2);
  Pool pool(options(1));
  const auto first = pool.apply_async(count_and_wait, tally.where(), 1);
  until([&] { return tally[1] == 1; });
  const auto kept = pool.apply_async(count_and_wait, tally.where(), 2);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(pool.apply_async(count_and_wait, tally.where(), i).cancel());
  }
  const auto last = pool.apply_async(count_and_wait, tally.where(), 3);
  tally[0] = 1;
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(kept.get(), 2);
  EXPECT_EQ(last.get(), 3);
  EXPECT_EQ(tally[1], 3U);
}

TEST_P(PoolCancel, OfManyThatWaitForASlot) {
  Tally tally(2);
  Pool pool(options(1));
  const auto first = pool.apply_async(count_and_wait, tally.where(), 1);
  std::vector<AsyncResult<int>> waiting;
  for (int i = 0; i < 3000; ++i) {
    waiting.push_back(pool.apply_async(count_and_wait, tally.where(), i));
  }
  until([&] { return tally[1] == 1; });
  for (std::size_t i = 0; i < waiting.size(); i += 2) {
    ASSERT_TRUE(waiting[i].cancel());
  }
  tally[0] = 1;
  for (std::size_t i = 1; i < waiting.size(); i += 2) {
    ASSERT_EQ(waiting[i].get(), static_cast<int>(i));
  }
  EXPECT_EQ(tally[1], 1501U);
}

TEST_P(PoolCancel, WakesThoseWhoWait) {
  // One task has a place among those that workers see; the other one waits for it.
  for (const int in_front : {0, 2000}) {
    Tally tally(2);
    Pool pool(options(1));
    const auto first = pool.apply_async(count_and_wait, tally.where(), 1);
    for (int i = 0; i < in_front; ++i) {
      pool.apply_async(square, i);
    }
    const auto unwanted = pool.apply_async(count_and_wait, tally.where(), 2);
    std::atomic<bool> cancelled{false};
    std::thread waiter([&] {
      try {
        unwanted.get();
      } catch (const Cancelled&) {
        cancelled = true;
      }
    });
    std::this_thread::sleep_for(20ms);
    EXPECT_TRUE(unwanted.cancel());
    waiter.join();
    EXPECT_TRUE(cancelled);
    tally[0] = 1;
    EXPECT_EQ(first.get(), 1);
  }
}

TEST_P(PoolCancel, OfAMapThatWaits) {
  Tally tally(2);
  Pool pool(options(1));
  const auto first = pool.apply_async(count_and_wait, tally.where(), 1);
  until([&] { return tally[1] == 1; });
  const auto map = pool.map_async(procession::bind(count_and_wait, tally.where()),
                                  std::views::iota(0, 100), {.chunksize = 3});
  EXPECT_TRUE(map.cancel());
  EXPECT_THROW(map.get(), Cancelled);
  tally[0] = 1;
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_EQ(tally[1], 1U);
}

TEST_P(PoolCancel, IsToldToCallbacks) {
  Tally tally(2);
  std::atomic<int> cancelled{0};
  Pool pool(options(1));
  const auto first = pool.apply_async(count_and_wait, tally.where(), 1);
  until([&] { return tally[1] == 1; });
  auto second = pool.apply_async(count_and_wait, tally.where(), 2);
  second.then([](int) {}, [&](const std::exception_ptr&) { ++cancelled; });
  EXPECT_TRUE(second.cancel());
  until([&] { return cancelled != 0; });
  tally[0] = 1;
  pool.close();
  pool.join();
  EXPECT_EQ(cancelled, 1);
}

INSTANTIATE_TEST_SUITE_P(Methods, PoolCancel,
                         testing::Values(StartMethod::forkserver, StartMethod::thread), kind_name);

TEST(Pains, Pain09_ARunningTaskIsStoppedAndItsWorkerReplaced) {
  Tally started;
  Pool pool(1);
  const int pid = pool.pids().at(0);
  const auto endless = pool.apply_async(run_on, started.where());
  until([&] { return started[0] == 1; });
  const auto next = pool.apply_async(square, 4);
  EXPECT_TRUE(endless.cancel());
  EXPECT_THROW(endless.get(), Cancelled);
  EXPECT_EQ(next.get(), 16);
  until([&] { return ended(pid); });
  EXPECT_NE(pool.pids().at(0), pid);
}

TEST(PoolCancelRunning, OfAMapStopsTheElementsThatRun) {
  Tally started;
  Pool pool(2);
  const auto map = pool.map_async([](Where where) { return run_on(where); },
                                  std::vector<Where>(10, started.where()));
  until([&] { return started[0] == 2; });
  EXPECT_TRUE(map.cancel());
  EXPECT_THROW(map.get(), Cancelled);
  EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
  EXPECT_EQ(started[0], 2U);
}

TEST(PoolCancelRunning, NeverHitsTheNextTask) {
  // Cancelled just as it ends: what the worker does next must not be lost.
  Pool pool(1);
  for (int i = 0; i < 2000; ++i) {
    const auto first = pool.apply_async(square, i);
    const auto second = pool.apply_async(square, i + 1);
    if (i % 2 == 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(i % 50));
    }
    const bool cancelled = first.cancel();
    ASSERT_EQ(second.get(), (i + 1) * (i + 1));
    if (cancelled) {
      ASSERT_THROW(first.get(), Cancelled);
    } else {
      ASSERT_EQ(first.get(), i * i);
    }
  }
}

TEST(PoolCancelRunning, IsRefusedByAThread) {
  Tally tally(2);
  Pool pool({.processes = 1, .start_method = StartMethod::thread});
  const auto first = pool.apply_async(count_and_wait, tally.where(), 1);
  until([&] { return tally[1] == 1; });
  EXPECT_FALSE(first.cancel());
  tally[0] = 1;
  EXPECT_EQ(first.get(), 1);
}

}  // namespace
}  // namespace procession::pooltest
