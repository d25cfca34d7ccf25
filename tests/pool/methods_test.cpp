// Pools by every start method, inside workers, and inside children.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ranges>
#include <set>

#include "left.hpp"
#include "procession/error.hpp"
#include "procession/process.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

class PoolMethod : public testing::TestWithParam<StartMethod> {
 protected:
  [[nodiscard]] static PoolOptions options(std::size_t processes) {
    return {.processes = processes, .start_method = GetParam()};
  }
};

TEST_P(PoolMethod, DoesTheSame) {
  Pool pool(options(2));
  EXPECT_EQ(pool.size(), 2U);
  EXPECT_EQ(pool.apply(square, 7), 49);
  const auto squares = pool.map(square, std::views::iota(0, 3000), {.chunksize = 1});
  ASSERT_EQ(squares.size(), 3000U);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(squares[static_cast<std::size_t>(i)], i * i);
  }
  const auto texts = pool.map([](std::size_t n) { return std::string(n, 't'); },
                              {std::size_t{0}, std::size_t{100}, std::size_t{1} << 21U});
  EXPECT_EQ(texts.at(2), std::string(1U << 21U, 't'));
  EXPECT_THROW(pool.map(throws_at_three, std::views::iota(0, 10)), std::out_of_range);
  EXPECT_EQ(pool.apply(square, 8), 64);
  pool.close();
  EXPECT_THROW(pool.apply(square, 1), ProcessError);
  pool.join();
}

TEST_P(PoolMethod, WithAnInitializerAndMaxTasks) {
  Tally tally;
  PoolOptions made = options(2);
  made.initializer = procession::bind([](Where where) { ++counter(where); }, tally.where());
  made.max_tasks_per_child = 2;
  Pool pool(made);
  const auto results = pool.map(square, std::views::iota(0, 20), {.chunksize = 1});
  EXPECT_EQ(results.back(), 19 * 19);
  EXPECT_GE(tally[0], 10U);
}

TEST_P(PoolMethod, TerminatedWithTasksInTheQueue) {
  Tally gate(2);
  Pool pool(options(1));
  const auto running = pool.apply_async(
      [](Where where) {
        counter(where, 1) = 1;
        await(where);
      },
      gate.where());
  const auto queued = pool.map_async(square, std::views::iota(0, 2000), {.chunksize = 1});
  until([&] { return gate[1] == 1; });
  if (GetParam() == StartMethod::thread) {
    gate[0] = 1;  // no thread can be ended from outside
  }
  pool.terminate();
  if (GetParam() != StartMethod::thread) {
    EXPECT_THROW(running.get(), Cancelled);
    EXPECT_THROW(queued.get(), Cancelled);
  }
  EXPECT_TRUE(running.ready());
  EXPECT_TRUE(queued.ready());
}

TEST_P(PoolMethod, FailingInitializer) {
  PoolOptions made = options(2);
  made.initializer = [] { throw std::domain_error("never"); };
  Pool pool(made);
  EXPECT_THROW(pool.apply(square, 1), std::domain_error);
}

TEST_P(PoolMethod, ManySubmitters) {
  Pool pool(options(2));
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<AsyncResult<int>> results;
      for (int i = 0; i < 300; ++i) {
        results.push_back(pool.apply_async(square, thread + i));
      }
      for (int i = 0; i < 300; ++i) {
        wrong += results[static_cast<std::size_t>(i)].get() != (thread + i) * (thread + i) ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

// Who replaces it is a thread of the library's own, for which all signals are blocked.
TEST_P(PoolMethod, AReplacedWorkerHearsOfSignals) {
  if (GetParam() == StartMethod::thread) {
    GTEST_SKIP() << "a thread is not replaced";
  }
  Pool pool(options(1));
  EXPECT_THROW(pool.apply([] { ::_exit(1); }), WorkerLost);
  EXPECT_TRUE(pool.apply([] {
    sigset_t blocked;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    for (int signal = 1; signal < 32; ++signal) {
      if (::sigismember(&blocked, signal) == 1) {
        return false;
      }
    }
    return true;
  }));
}

INSTANTIATE_TEST_SUITE_P(By, PoolMethod, testing::ValuesIn(get_all_start_methods()),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST(PoolOnThreads, ClosuresMayCaptureReferences) {
  Pool pool({.processes = 2, .start_method = StartMethod::thread});
  std::atomic<int> sum = 0;
  pool.map([&sum](int x) { sum += x; }, std::views::iota(0, 100));
  EXPECT_EQ(sum, 4950);
  EXPECT_EQ(pool.apply([] { return static_cast<int>(::getpid()); }), ::getpid());
}

int sum_of_squares(int count) {
  Pool inner(2);
  int sum = 0;
  for (const int one : inner.map(square, std::views::iota(0, count))) {
    sum += one;
  }
  return sum;
}

TEST(Pains, Pain21_PoolsInsideWorkers) {
  Pool outer(2);
  EXPECT_EQ(outer.map(sum_of_squares, {1, 2, 3, 4}), (std::vector<int>{0, 1, 5, 14}));
}

TEST(PoolNested, ThreeDeep) {
  Pool outer(1);
  EXPECT_EQ(outer.apply([](int n) { return Pool(1).apply(sum_of_squares, n); }, 3), 5);
}

TEST(PoolNested, ExceptionsPassThroughAll) {
  Pool outer(1);
  try {
    outer.apply([] { Pool(1).map(throws_at_three, std::views::iota(0, 5)); });
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "three");
    ASSERT_NE(remote_trace(error), nullptr);
    EXPECT_EQ(remote_trace(error)->pid(), outer.pids().at(0));
    ASSERT_EQ(remote_trace(error)->earlier().size(), 1U);
    EXPECT_EQ(remote_trace(error)->earlier()[0].task_index, 3U);
  }
}

TEST(PoolNested, EndsWithTheOuterOne) {
  Tally tally(4);
  {
    Pool outer(1);
    outer.apply_async(
        [](Where where) {
          Pool inner(2);
          const auto pids = inner.pids();
          counter(where, 1) = static_cast<std::uint32_t>(pids.at(0));
          counter(where, 2) = static_cast<std::uint32_t>(pids.at(1));
          counter(where, 3) = 1;
          inner.apply([](Where gate) { await(gate); }, where);
        },
        tally.where());
    until([&] { return tally[3] == 1; });
  }
  until([&] { return ended(static_cast<int>(tally[1])) && ended(static_cast<int>(tally[2])); });
}

TEST(Pains, Pain21_APoolEndsWithItsKilledWorker) {
  Tally tally(4);
  Pool outer(1);
  const auto result = outer.apply_async(
      [](Where where) {
        Pool inner(2);
        const auto pids = inner.pids();
        counter(where, 1) = static_cast<std::uint32_t>(pids.at(0));
        counter(where, 2) = static_cast<std::uint32_t>(pids.at(1));
        counter(where, 3) = 1;
        inner.apply([](Where gate) { await(gate); }, where);
      },
      tally.where());
  until([&] { return tally[3] == 1; });
  ::kill(outer.pids().at(0), SIGKILL);
  EXPECT_THROW(result.get(), WorkerLost);
  until([&] { return ended(static_cast<int>(tally[1])) && ended(static_cast<int>(tally[2])); });
}

class PoolInChild : public testing::TestWithParam<StartMethod> {};

TEST_P(PoolInChild, OfAnyMethod) {
  Tally tally;
  Process child(
      {.start_method = GetParam()},
      [](Where where) {
        Pool pool(2);
        const auto squares = pool.map(square, std::views::iota(0, 100));
        counter(where) = static_cast<std::uint32_t>(squares.back());
      },
      tally.where());
  child.start();
  child.join();
  EXPECT_EQ(child.exitcode(), 0);
  EXPECT_EQ(tally[0], 99U * 99U);
}

// The child of a fork has its parent's pool object before it, but not its workers.
TEST_P(PoolInChild, OfAParentThatHasAPool) {
  Pool pool(2);
  EXPECT_EQ(pool.apply(square, 2), 4);
  Tally tally;
  Process child(
      {.start_method = GetParam()},
      [](Where where) {
        Pool own(1);
        counter(where) = static_cast<std::uint32_t>(own.apply(square, 5));
      },
      tally.where());
  child.start();
  EXPECT_EQ(pool.apply(square, 3), 9);
  child.join();
  EXPECT_EQ(child.exitcode(), 0);
  EXPECT_EQ(tally[0], 25U);
  EXPECT_EQ(pool.apply(square, 4), 16);
}

INSTANTIATE_TEST_SUITE_P(By, PoolInChild, testing::ValuesIn(get_all_start_methods()),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

// A program may fork by itself; in the child, what the parent holds is not given back again.
TEST(PoolInFork, OfTheProgramItselfUnwindsAndWorks) {
  const heap::Audit before = settled_audit();
  int child = -1;
  {
    Pool pool(2);
    const auto text =
        pool.apply_async([](std::size_t n) { return std::string(n, 'x'); }, std::size_t{100'000});
    text.wait();
    const auto texts =
        pool.map_async([](const std::string& s) { return s; },
                       std::vector<std::string>(2000, std::string(1000, 'x')), {.chunksize = 1});
    child = ::fork();
    if (child != 0) {
      EXPECT_EQ(texts.get().size(), 2000U);
    }
  }
  if (child == 0) {
    ::_exit(Pool(1).apply(square, 5) == 25 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_GE(heap::audit().blocks, before.blocks);
}

TEST(PoolInFork, RefusesTheParentsPool) {
  Pool pool(1);
  EXPECT_EQ(pool.apply(square, 2), 4);
  Tally tally;
  Process child(
      {.start_method = StartMethod::fork},
      [&pool](Where where) {
        try {
          pool.apply(square, 3);
        } catch (const ProcessError&) {
          counter(where) = 1;
        }
      },
      tally.where());
  child.start();
  child.join();
  EXPECT_EQ(child.exitcode(), 0);
  EXPECT_EQ(tally[0], 1U);
  EXPECT_EQ(pool.apply(square, 3), 9);
}

/// A task that runs can be cancelled in a process and not on a thread, so this tells what the pool
/// takes its workers for.
TEST(PoolDefaults, AreReadOnce) {
  const StartMethod usual = get_start_method();
  std::atomic<bool> stop{false};
  std::thread changer([&] {
    while (!stop) {
      set_start_method(StartMethod::thread, true);
      set_start_method(StartMethod::forkserver, true);
    }
  });
  std::size_t threads = 0;
  constexpr std::size_t kPools = 100;
  for (std::size_t i = 0; i < kPools; ++i) {
    Pool pool(1);
    const bool on_thread = pool.apply([] { return ::getpid(); }) == ::getpid();
    threads += on_thread ? 1 : 0;
    const Tally begun;
    const Tally gate;
    const auto running = pool.apply_async(
        [](Where begins, Where opens) {
          counter(begins) = 1;
          await(opens);
        },
        begun.where(), gate.where());
    await(begun.where());
    EXPECT_EQ(running.cancel(), !on_thread);
    gate[0] = 1;
  }
  stop = true;
  changer.join();
  set_start_method(usual, true);
  EXPECT_GT(threads, 0U);
  EXPECT_LT(threads, kPools);
}

}  // namespace
}  // namespace procession::pooltest
