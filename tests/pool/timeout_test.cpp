// Elements that may run only so long.

#include <numeric>
#include <ranges>

#include "procession/error.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

/// Element `slow` hangs until the gate is open, or for ever; all are counted.
int hang_at(Where tally, int slow, int x) {
  ++counter(tally, static_cast<std::size_t>(x) + 1);
  if (x == slow) {
    await(tally);
  }
  return square(x);
}

class PoolTimeout : public testing::TestWithParam<StartMethod> {
 protected:
  [[nodiscard]] static PoolOptions options(std::size_t processes) {
    return {.processes = processes, .start_method = GetParam()};
  }
};

TEST_P(PoolTimeout, FailsTheElementThatRanTooLongAlone) {
  Tally tally(13);
  Pool pool(options(1));
  const int pid = pool.pids().at(0);
  std::vector<int> numbers(12);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto result = pool.map_async(procession::bind(hang_at, tally.where(), 5), numbers,
                                     {.chunksize = 4, .timeout = 50ms});
  if (GetParam() == StartMethod::thread) {
    std::thread opener([&] {
      until([&] { return tally[6] == 1; });
      std::this_thread::sleep_for(200ms);
      tally[0] = 1;
    });
    EXPECT_TRUE(result.wait());
    opener.join();
  }
  try {
    result.get();
    FAIL();
  } catch (const TimeoutError& error) {
    const RemoteTrace* const trace = remote_trace(error);
    ASSERT_NE(trace, nullptr);
    EXPECT_EQ(trace->task_index(), 5U);
    EXPECT_EQ(trace->pid(), GetParam() == StartMethod::thread ? ::getpid() : pid);
    const std::string text = error.what();
    EXPECT_NE(text.find("element 5 of a map"), std::string::npos) << text;
    EXPECT_NE(text.find("50 ms"), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(trace->pid())), std::string::npos) << text;
  }
  // Each of the others ran once.
  for (std::size_t i = 1; i < tally.size(); ++i) {
    EXPECT_EQ(tally[i], 1U) << i;
  }
  EXPECT_EQ(pool.map(square, {1, 2}), (std::vector<int>{1, 4}));
  if (GetParam() != StartMethod::thread) {
    until([&] { return ended(pid); });
  }
}

TEST_P(PoolTimeout, CountsFromTheStartOfEachElement) {
  // In all they take far longer than one may.
  Pool pool(options(1));
  const auto result = pool.map(
      [](int x) {
        std::this_thread::sleep_for(30ms);
        return x;
      },
      std::views::iota(0, 20), {.chunksize = 10, .timeout = 300ms});
  EXPECT_EQ(result.size(), 20U);
}

TEST_P(PoolTimeout, RefusesATimeoutInWhichNothingCanRun) {
  Pool pool(options(1));
  EXPECT_THROW(pool.map(square, {1}, {.timeout = 0ms}), std::invalid_argument);
  EXPECT_THROW(pool.map(square, {1}, {.timeout = -5ms}), std::invalid_argument);
  EXPECT_EQ(pool.map(square, {2}, {.timeout = std::chrono::hours(24 * 365)}), std::vector<int>{4});
}

TEST_P(PoolTimeout, IsToldToCallbacksThoughNobodyWaits) {
  Tally gate(3);
  std::atomic<int> errors{0};
  Pool pool(options(1));
  auto result = pool.map_async(procession::bind(hang_at, gate.where(), 1), {1}, {.timeout = 20ms});
  result.then([](const std::vector<int>&) {}, [&](const std::exception_ptr&) { ++errors; });
  until([&] { return errors != 0; });
  gate[0] = 1;
  pool.close();
  pool.join();
  EXPECT_EQ(errors, 1);
}

INSTANTIATE_TEST_SUITE_P(Methods, PoolTimeout,
                         testing::Values(StartMethod::forkserver, StartMethod::thread), kind_name);

TEST(Pains, Pain09_EveryTaskHasItsTimeOut) {
  Pool pool(2);
  Tally tally(21);
  // Each hangs for ever; none holds up the pool.
  std::vector<AsyncResult<std::vector<int>>> hanging;
  for (int i = 0; i < 10; ++i) {
    hanging.push_back(
        pool.map_async(procession::bind(hang_at, tally.where(), i), {i}, {.timeout = 20ms}));
  }
  EXPECT_EQ(pool.apply(square, 5), 25);
  for (const auto& result : hanging) {
    EXPECT_THROW(result.get(), TimeoutError);
  }
  EXPECT_EQ(tally.sum(), 10U);
}

TEST(PoolTimeoutRetry, RunsTheElementAnew) {
  Tally tally(3);
  Pool pool(1);
  // Hangs the first two times.
  const auto hang_twice = [](Where where, int x) {
    if (++counter(where) <= 2) {
      std::this_thread::sleep_for(std::chrono::hours(1));
    }
    return x;
  };
  EXPECT_EQ(
      pool.map(procession::bind(hang_twice, tally.where()), {7}, {.timeout = 20ms, .retries = 2}),
      std::vector<int>{7});
  EXPECT_EQ(tally[0], 3U);
  tally[0] = 0;
  EXPECT_THROW(
      pool.map(procession::bind(hang_twice, tally.where()), {7}, {.timeout = 20ms, .retries = 1}),
      TimeoutError);
}

TEST(PoolTimeoutRace, NoElementRunsTwice) {
  // They take about as long as they may.
  constexpr std::size_t kElements = 300;
  Tally tally(kElements);
  Pool pool(2);
  const auto run = [](Where where, int x) {
    ++counter(where, static_cast<std::size_t>(x));
    std::this_thread::sleep_for(std::chrono::microseconds(900 + x % 7 * 30));
    return x;
  };
  try {
    pool.map(procession::bind(run, tally.where()), std::views::iota(0, static_cast<int>(kElements)),
             {.chunksize = 10, .timeout = 1ms});
  } catch (const TimeoutError&) {
  }
  // One whose worker got no processor time after writing down its start may have failed unrun.
  for (std::size_t i = 0; i < kElements; ++i) {
    EXPECT_LE(tally[i], 1U) << i;
  }
  EXPECT_GT(tally.sum(), 0U);
}

}  // namespace
}  // namespace procession::pooltest
