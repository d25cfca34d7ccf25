// Workers that may only have so much memory.

#include <cstring>
#include <memory>
#include <ranges>

#include "procession/error.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

constexpr std::size_t kMebi = 1U << 20U;
// Far above what a worker has from the start, with a sanitizer too.
constexpr std::size_t kLimit = (kSanitized ? 600 : 100) * kMebi;

/// Takes so much memory and keeps it for ever.
int leak(std::size_t bytes, int x) {
  auto* const block = new char[bytes];
  std::memset(block, 1, bytes);
  static std::vector<char*> kept;
  kept.push_back(block);
  return square(x);
}

void hog_and_hang(std::size_t bytes) {
  leak(bytes, 0);
  for (;;) {
    std::this_thread::sleep_for(1s);
  }
}

TEST(PoolMemoryLimit, FailsTheTaskThatGrowsPastItAlone) {
  Pool pool({.processes = 2, .max_memory_per_child = kLimit});
  const auto hog = pool.apply_async(hog_and_hang, 2 * kLimit);
  EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
  try {
    hog.get();
    FAIL();
  } catch (const WorkerLost& lost) {
    EXPECT_EQ(lost.exitcode(), -SIGKILL);
    const std::string text = lost.what();
    EXPECT_NE(text.find("more than max_memory_per_child admits: " + std::to_string(kLimit)),
              std::string::npos)
        << text;
  }
  EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
}

TEST(PoolMemoryLimit, OfAMapFailsOneElement) {
  Tally tally(30);
  Pool pool({.processes = 1, .max_memory_per_child = kLimit});
  const auto run = [](Where where, int x) {
    ++counter(where, static_cast<std::size_t>(x));
    if (x == 11) {
      hog_and_hang(2 * kLimit);
    }
    return x;
  };
  try {
    pool.map(procession::bind(run, tally.where()), std::views::iota(0, 30), {.chunksize = 30});
    FAIL();
  } catch (const WorkerLost& lost) {
    EXPECT_EQ(lost.task_index(), 11U);
  }
  EXPECT_EQ(tally.other_than(1), 0U);
}

TEST(PoolMemoryLimit, AWorkerThatLeaksIsReplacedBetweenTasks) {
  Pool pool({.processes = 1, .max_memory_per_child = kLimit});
  std::vector<int> pids;
  for (int i = 0; i < 12; ++i) {
    // Retried, should it have been seen over the limit before its end.
    EXPECT_EQ(pool.map(procession::bind(leak, kLimit / 3), {i}, {.retries = 5}).at(0), i * i);
    const int pid = pool.apply([] { return static_cast<int>(::getpid()); });
    if (pids.empty() || pids.back() != pid) {
      pids.push_back(pid);
    }
  }
  // Each has room for two or three of them.
  EXPECT_GE(pids.size(), 4U);
  EXPECT_LE(pids.size(), 12U);
}

TEST(PoolMemoryLimit, DoesNotCountWhatAForkBeganWith) {
  const std::vector<char> mine(2 * kLimit, 'x');
  Pool pool({.processes = 1, .start_method = StartMethod::fork, .max_memory_per_child = kLimit});
  const auto pid = [] { return static_cast<int>(::getpid()); };
  const int first = pool.apply(pid);
  // Long enough to be looked at, and then at its end.
  pool.apply([] { std::this_thread::sleep_for(100ms); });
  EXPECT_EQ(pool.apply(pid), first);
  const auto hog = pool.apply_async(hog_and_hang, 2 * kLimit);
  EXPECT_THROW(hog.get(), WorkerLost);
}

TEST(PoolMemoryLimit, IsRefusedWhereItMeansNothing) {
  EXPECT_THROW(Pool({.processes = 1, .max_memory_per_child = 0}), std::invalid_argument);
  EXPECT_THROW(
      Pool({.processes = 1, .start_method = StartMethod::thread, .max_memory_per_child = kLimit}),
      std::invalid_argument);
}

}  // namespace
}  // namespace procession::pooltest
