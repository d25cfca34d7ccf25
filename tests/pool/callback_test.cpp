// Callbacks at the end of tasks.

#include <memory>
#include <mutex>
#include <ranges>
#include <stdexcept>

#include "procession/error.hpp"
#include "procession/log.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

int failing_int_after(Where gate) {
  await(gate);
  throw std::out_of_range("too far");
}

class PoolCallback : public testing::TestWithParam<StartMethod> {
 protected:
  [[nodiscard]] static PoolOptions options(std::size_t processes) {
    return {.processes = processes, .start_method = GetParam()};
  }
};

TEST_P(PoolCallback, ComesThoughNobodyWaits) {
  Pool pool(options(1));
  Tally gate;
  std::atomic<int> value{0};
  auto result = pool.apply_async(after, gate.where(), 5);
  result.then([&](int got) { value = got; });
  EXPECT_EQ(value, 0);
  gate[0] = 1;
  until([&] { return value == 5; });
  EXPECT_EQ(result.get(), 5);
}

TEST_P(PoolCallback, GetsTheFailure) {
  Pool pool(options(1));
  Tally gate;
  std::atomic<int> values{0};
  std::atomic<int> errors{0};
  pool.apply_async(failing_int_after, gate.where())
      .then([&](int) { ++values; },
            [&](const std::exception_ptr& failure) {
              try {
                std::rethrow_exception(failure);
              } catch (const std::out_of_range& error) {
                errors += std::string(error.what()) == "too far" ? 1 : 100;
              }
            });
  gate[0] = 1;
  until([&] { return errors != 0; });
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(values, 0);
}

TEST_P(PoolCallback, RunsAtOnceAndHereWhenTheTaskHasEnded) {
  Pool pool(options(1));
  auto result = pool.apply_async(square, 3);
  result.wait();
  std::thread::id where;
  int value = 0;
  result.then([&](int got) {
    where = std::this_thread::get_id();
    value = got;
  });
  EXPECT_EQ(value, 9);
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST_P(PoolCallback, EachOnceOfManyTasksFromSeveralThreads) {
  constexpr int kTasks = 3000;
  std::vector<std::atomic<int>> calls(2 * kTasks);
  std::atomic<int> values{0};
  {
    Pool pool(options(2));
    std::vector<std::thread> submitters;
    for (int part = 0; part < 2; ++part) {
      submitters.emplace_back([&, part] {
        for (int i = part * kTasks; i < (part + 1) * kTasks; ++i) {
          pool.apply_async(square, i).then([&, i](int got) {
            ++calls[static_cast<std::size_t>(i)];
            values += got == i * i ? 1 : 0;
          });
        }
      });
    }
    for (auto& thread : submitters) {
      thread.join();
    }
    pool.close();
    pool.join();
    // join() waits for them.
    EXPECT_EQ(values, 2 * kTasks);
  }
  for (const auto& count : calls) {
    ASSERT_EQ(count, 1);
  }
}

TEST_P(PoolCallback, OfAMapGetsAllResults) {
  Pool pool(options(2));
  std::vector<int> got;
  auto result = pool.map_async(square, std::views::iota(0, 100));
  result.then([&](std::vector<int> all) { got = std::move(all); });
  pool.close();
  pool.join();
  ASSERT_EQ(got.size(), 100U);
  EXPECT_EQ(got[9], 81);
}

TEST_P(PoolCallback, OfAFunctionWithoutResultAndOfAnEmptyMap) {
  Pool pool(options(1));
  int calls = 0;
  pool.apply_async([] {}).then([&] { ++calls; });
  pool.map_async(square, std::vector<int>()).then([&](const std::vector<int>& none) {
    calls += none.empty() ? 10 : 1000;
  });
  pool.close();
  pool.join();
  EXPECT_EQ(calls, 11);
}

TEST_P(PoolCallback, MayUseThePool) {
  Pool pool(options(1));
  std::atomic<int> sum{0};
  pool.apply_async(square, 2).then([&](int four) {
    // Waits for its own tasks, and has another one called back.
    const int sixteen = pool.apply(square, four);
    pool.apply_async(square, sixteen).then([&](int got) { sum += got; });
  });
  until([&] { return sum != 0; });
  EXPECT_EQ(sum, 256);
}

TEST_P(PoolCallback, MayMakeAPoolWithCallbacks) {
  Pool pool(options(1));
  int inner_value = 0;
  pool.apply_async(square, 2).then([&](int four) {
    Pool inner(options(1));
    inner.apply_async(square, four).then([&](int got) { inner_value = got; });
    inner.close();
    inner.join();
    inner_value += 1000;
  });
  pool.close();
  pool.join();
  EXPECT_EQ(inner_value, 1016);
}

TEST_P(PoolCallback, ThatThrowsIsLoggedAndHarmless) {
  std::mutex mutex;
  std::vector<std::string> messages;
  set_log_sink(
      [&](const LogRecord& record) {
        const std::lock_guard guard(mutex);
        messages.push_back(record.message);
      },
      LogLevel::error);
  int later = 0;
  {
    Pool pool(options(1));
    pool.apply_async(square, 2).then([](int) { throw std::runtime_error("no such window"); });
    pool.apply_async(square, 3).then([&](int got) { later = got; });
    pool.close();
    pool.join();
  }
  set_log_sink({});
  EXPECT_EQ(later, 9);
  const std::lock_guard guard(mutex);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_NE(messages[0].find("std::runtime_error: no such window"), std::string::npos)
      << messages[0];
}

TEST_P(PoolCallback, MayBeMoveOnlyAndSeveral) {
  int sum = 0;
  {
    Pool pool(options(1));
    auto result = pool.apply_async(square, 2);
    result.then([&sum, by = std::make_unique<int>(10)](int got) { sum += *by * got; })
        .then([&](int got) { sum += got; });
    pool.close();
  }
  EXPECT_EQ(sum, 44);
}

TEST_P(PoolCallback, OfATerminatedPoolGetsCancelled) {
  Tally gate;
  std::atomic<int> cancelled{0};
  {
    Pool pool(options(1));
    for (int i = 0; i < 10; ++i) {
      pool.apply_async(after, gate.where(), i)
          .then([](int) {},
                [&](const std::exception_ptr& failure) {
                  try {
                    std::rethrow_exception(failure);
                  } catch (const Cancelled&) {
                    ++cancelled;
                  }
                });
    }
    if (GetParam() == StartMethod::thread) {
      gate[0] = 1;  // a thread cannot be ended
      pool.close();
      pool.join();
      cancelled = 10;
    }
  }
  EXPECT_EQ(cancelled, 10);
}

INSTANTIATE_TEST_SUITE_P(Methods, PoolCallback,
                         testing::Values(StartMethod::forkserver, StartMethod::thread), kind_name);

TEST(PoolCallbackLost, ComesForAWorkerThatDied) {
  Pool pool(1);
  std::atomic<int> exitcode{0};
  pool.apply_async([] { ::_exit(7); })
      .then([] {},
            [&](const std::exception_ptr& failure) {
              try {
                std::rethrow_exception(failure);
              } catch (const WorkerLost& lost) {
                exitcode = lost.exitcode();
              }
            });
  until([&] { return exitcode != 0; });
  EXPECT_EQ(exitcode, 7);
}

}  // namespace
}  // namespace procession::pooltest
