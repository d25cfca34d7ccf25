// Executors: calls are submitted, run, cancelled and waited for.

#include <signal.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "procession/error.hpp"
#include "support.hpp"

namespace procession::executortest {
namespace {

template <class Kind>
class Executor : public testing::Test {};
TYPED_TEST_SUITE(Executor, ExecutorKinds, ExecutorKindNames);

TYPED_TEST(Executor, SubmitsAndMaps) {
  TypeParam executor(2);
  const Future<int> future = executor.submit(square, 7);
  EXPECT_EQ(future.result(), 49);
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.running());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(future.exception(), nullptr);
  Tally tally;
  const Future<void> nothing =
      executor.submit([](Where where) { ++counter(where); }, tally.where());
  nothing.result();
  EXPECT_EQ(tally[0], 1U);
  int expected = 0;
  for (const int result : executor.map(square, std::views::iota(0, 100), {.chunksize = 7})) {
    EXPECT_EQ(result, expected * expected);
    ++expected;
  }
  EXPECT_EQ(expected, 100);
  EXPECT_EQ(executor.map(square, {3}).next(), 9);
}

TYPED_TEST(Executor, ExceptionsAreResultsToo) {
  TypeParam executor(1);
  const auto future = executor.submit([]() -> int { throw std::domain_error("no"); });
  EXPECT_THROW(future.result(), std::domain_error);
  const std::exception_ptr failure = future.exception();
  ASSERT_NE(failure, nullptr);
  EXPECT_THROW(std::rethrow_exception(failure), std::domain_error);
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.cancelled());
  // A call may let this pass without having been cancelled.
  const auto passed = executor.submit([]() -> int { throw Cancelled("of mine"); });
  EXPECT_THROW(passed.result(), Cancelled);
  EXPECT_FALSE(passed.cancelled());
  EXPECT_NE(passed.exception(), nullptr);
}

TYPED_TEST(Executor, TimeOutsOfResults) {
  Tally gate(2);
  TypeParam executor(1);
  const auto future = executor.submit(wait_for, gate.where(), 5);
  EXPECT_THROW(future.result(0ms), TimeoutError);
  EXPECT_THROW(static_cast<void>(future.exception(1ms)), TimeoutError);
  until([&] { return gate[1] == 1; });
  EXPECT_TRUE(future.running());
  EXPECT_FALSE(future.done());
  gate[0] = 1;
  EXPECT_EQ(future.result(), 5);
}

TYPED_TEST(Executor, ShutdownLetsAllEndAndTakesNoMore) {
  Tally gate(2);
  TypeParam executor(1);
  const auto running = executor.submit(wait_for, gate.where(), 1);
  const auto waiting = executor.submit(square, 2);
  executor.shutdown(false);
  const std::string refusal =
      "a task was given to an executor that was shut down; submit before shutdown(), or make "
      "another executor";
  EXPECT_EQ(text_of<ProcessError>([&] { executor.submit(square, 3); }), refusal);
  EXPECT_EQ(text_of<ProcessError>([&] { executor.map(square, {3}); }), refusal);
  gate[0] = 1;
  executor.shutdown();
  EXPECT_TRUE(running.done());
  EXPECT_EQ(waiting.result(), 4);
  executor.shutdown();  // once more does nothing
}

TYPED_TEST(Executor, ShutdownMayCancelWhatWaits) {
  Tally gate(2);
  TypeParam executor(1);
  const auto running = executor.submit(wait_for, gate.where(), 1);
  until([&] { return gate[1] == 1; });
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 3000; ++i) {  // more than there are slots
    waiting.push_back(executor.submit(square, i));
  }
  auto mapped = executor.map(square, std::views::iota(0));
  EXPECT_THROW(mapped.next(0ms), TimeoutError);
  executor.shutdown(false, true);
  EXPECT_FALSE(running.done());
  for (const Future<int>& future : waiting) {
    ASSERT_TRUE(future.cancelled());
    ASSERT_THROW(future.result(), Cancelled);
    ASSERT_THROW(static_cast<void>(future.exception()), Cancelled);
  }
  EXPECT_THROW(mapped.next(), Cancelled);
  gate[0] = 1;
  EXPECT_EQ(running.result(), 1);
}

TYPED_TEST(Executor, DestructionIsShutdown) {
  Tally tally(2);
  std::vector<Future<void>> futures;
  {
    TypeParam executor(2);
    for (int i = 0; i < 100; ++i) {
      futures.push_back(executor.submit([](Where where) { ++counter(where); }, tally.where()));
    }
  }
  EXPECT_EQ(tally[0], 100U);
  for (const Future<void>& future : futures) {
    EXPECT_TRUE(future.done());
  }
}

TYPED_TEST(Executor, IsMovable) {
  TypeParam first(1);
  TypeParam second(std::move(first));
  EXPECT_EQ(second.submit(square, 2).result(), 4);
  second = TypeParam(2);
  EXPECT_EQ(second.submit(square, 3).result(), 9);
}

TYPED_TEST(Executor, TakesCallsFromSeveralThreads) {
  TypeParam executor(2);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        wrong +=
            executor.submit(square, thread + i).result() != (thread + i) * (thread + i) ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(Executor, TakesAllThatAPoolTakes) {
  Tally tally;
  TypeParam executor(
      PoolOptions{.processes = 2,
                  .initializer = bind([](Where where) { ++counter(where); }, tally.where()),
                  .max_tasks_per_child = 1});
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(executor.submit(square, i).result(), i * i);
  }
  EXPECT_GE(tally[0], 5U);
}

// pains.md 8: one lost worker does not break the executor.
TEST(Pains, Pain08_ALostWorkerFailsItsCallAlone) {
  ProcessPoolExecutor executor(2);
  const auto lost = executor.submit([] { ::raise(SIGKILL); });
  const auto other = executor.submit(square, 3);
  EXPECT_THROW(lost.result(), WorkerLost);
  EXPECT_FALSE(lost.cancelled());
  EXPECT_EQ(other.result(), 9);
  EXPECT_EQ(executor.submit(square, 4).result(), 16);
}

TEST(ProcessExecutor, CancelStopsWhatRuns) {
  Tally gate(2);
  ProcessPoolExecutor executor(1);
  auto running = executor.submit(wait_for, gate.where(), 1);
  auto waiting = executor.submit(wait_for, gate.where(), 2);
  until([&] { return running.running(); });
  EXPECT_TRUE(waiting.cancel());
  EXPECT_TRUE(waiting.cancel());
  EXPECT_TRUE(running.cancel());
  EXPECT_TRUE(running.cancelled());
  EXPECT_THROW(running.result(), Cancelled);
  auto done = executor.submit(square, 4);
  EXPECT_EQ(done.result(), 16);
  EXPECT_FALSE(done.cancel());
  EXPECT_FALSE(done.cancelled());
}

TEST(ThreadExecutor, CancelLeavesAloneWhatRuns) {
  Tally gate(2);
  ThreadPoolExecutor executor(1);
  auto running = executor.submit(wait_for, gate.where(), 1);
  auto waiting = executor.submit(wait_for, gate.where(), 2);
  until([&] { return running.running(); });
  EXPECT_FALSE(running.cancel());
  EXPECT_TRUE(waiting.cancel());
  gate[0] = 1;
  EXPECT_EQ(running.result(), 1);
  EXPECT_EQ(gate[1], 1U);
}

TEST(ProcessExecutor, WorkersCanBeTerminatedAndKilled) {
  for (const bool kill : {false, true}) {
    Tally gate(2);
    ProcessPoolExecutor executor(2);
    auto running = executor.submit(
        [](Where where, bool stubborn) {
          if (stubborn) {
            ::signal(SIGTERM, SIG_IGN);
          }
          wait_for(where, 0);
        },
        gate.where(), kill);
    const auto waiting = executor.map(square, {1, 2});
    until([&] { return gate[1] == 1; });
    if (kill) {
      executor.kill_workers();
    } else {
      executor.terminate_workers();
    }
    EXPECT_TRUE(running.cancelled());
    const std::string by = kill ? "kill_workers()" : "terminate_workers()";
    EXPECT_EQ(text_of<Cancelled>([&] { running.result(); }),
              "the workers of the executor were ended by " + by +
                  " before this call had ended; call shutdown() to let the calls of an executor "
                  "end");
    EXPECT_EQ(text_of<Cancelled>([&] { executor.submit(square, 1); }),
              "a task was given to an executor whose workers were ended by " + by +
                  "; submit before that, or make another executor");
  }
}

}  // namespace
}  // namespace procession::executortest
