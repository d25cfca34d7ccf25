// What can be done with futures: callbacks, coroutines, waiting for several.

#include <coroutine>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "procession/error.hpp"
#include "support.hpp"

namespace procession::executortest {
namespace {

template <class Kind>
class Futures : public testing::Test {};
TYPED_TEST_SUITE(Futures, ExecutorKinds, ExecutorKindNames);

TYPED_TEST(Futures, CallbacksRunOnceEach) {
  Tally gate(2);
  std::atomic<int> sum = 0, plain = 0;
  {
    TypeParam executor(1);
    const auto future = executor.submit(wait_for, gate.where(), 5);
    future.add_done_callback([&](const Future<int>& done) { sum += done.result(); });
    future.add_done_callback([&, kept = std::make_unique<int>(1)] { plain += *kept; });
    EXPECT_EQ(sum, 0);
    gate[0] = 1;
  }  // waits for callbacks
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(plain, 1);
  TypeParam executor(1);
  const auto ended = executor.submit(square, 3);
  ended.result();
  ended.add_done_callback([&](const Future<int>& done) { sum += done.result(); });
  EXPECT_EQ(sum, 14);  // here and now
  auto failed = executor.submit([]() -> int { throw std::domain_error("no"); });
  failed.add_done_callback(
      [&](const Future<int>& done) { sum += done.exception() != nullptr ? 100 : 0; });
  executor.shutdown();
  EXPECT_EQ(sum, 114);
}

TYPED_TEST(Futures, OneThatIsGivenSeveralTimesIsListedOnce) {
  Tally gate(2);
  TypeParam executor(2);
  const auto quick = executor.submit(square, 3);
  const auto slow = executor.submit(wait_for, gate.where(), 5);
  quick.result();
  const std::vector<Future<int>> futures{quick, slow, quick, quick, slow};
  const auto first = wait(futures, ReturnWhen::first_completed);
  ASSERT_EQ(first.done.size(), 1U);
  EXPECT_EQ(first.done[0].result(), 9);
  EXPECT_EQ(first.not_done.size(), 1U);
  gate[0] = 1;
  const auto all = wait(futures);
  ASSERT_EQ(all.done.size(), 2U);
  EXPECT_EQ(all.done[0].result(), 9);
  EXPECT_EQ(all.done[1].result(), 5);
  EXPECT_TRUE(all.not_done.empty());
}

TYPED_TEST(Futures, CallbacksOfCancelledOnes) {
  Tally gate(2);
  std::atomic<int> cancelled = 0;
  TypeParam executor(1);
  const auto running = executor.submit(wait_for, gate.where(), 5);
  auto waiting = executor.submit(square, 5);
  waiting.add_done_callback(
      [&](const Future<int>& done) { cancelled += done.cancelled() ? 1 : 0; });
  until([&] { return gate[1] == 1; });
  EXPECT_TRUE(waiting.cancel());
  gate[0] = 1;
  executor.shutdown();
  EXPECT_EQ(cancelled, 1);
}

TYPED_TEST(Futures, AsCompletedGivesThemAsTheyEnd) {
  Tally first(2), second(2);
  TypeParam executor(2);
  std::vector<Future<int>> futures{executor.submit(wait_for, first.where(), 1),
                                   executor.submit(wait_for, second.where(), 2)};
  futures.push_back(futures.front());  // counts once
  auto completed = as_completed(futures);
  second[0] = 1;
  EXPECT_EQ(completed.next().result(), 2);
  first[0] = 1;
  EXPECT_EQ(completed.next().result(), 1);
  EXPECT_THROW(completed.next(), StopIteration);

  std::set<int> results;
  std::vector<Future<int>> many;
  for (int i = 0; i < 500; ++i) {
    many.push_back(executor.submit(square, i));
  }
  for (const Future<int>& future : as_completed(many)) {
    EXPECT_TRUE(future.done());
    results.insert(future.result());
  }
  EXPECT_EQ(results.size(), 500U);
  for ([[maybe_unused]] const Future<int>& future : as_completed(std::vector<Future<int>>{})) {
    FAIL();
  }
}

TYPED_TEST(Futures, AsCompletedHasATimeOut) {
  Tally gate(2);
  TypeParam executor(1);
  const std::vector<Future<int>> futures{executor.submit(square, 3),
                                         executor.submit(wait_for, gate.where(), 1)};
  futures[0].result();
  auto completed = as_completed(futures, 20ms);
  EXPECT_EQ(completed.next().result(), 9);
  try {
    completed.next();
    FAIL();
  } catch (const TimeoutError& error) {
    EXPECT_NE(std::string(error.what()).find("1 of 2"), std::string::npos) << error.what();
  }
  auto at_once = as_completed(futures, -1ms);  // as 0: what is done is there all the same
  EXPECT_EQ(at_once.next().result(), 9);
  EXPECT_THROW(at_once.next(), TimeoutError);
  gate[0] = 1;
}

TYPED_TEST(Futures, WaitForOneForAFailureForAll) {
  Tally gate(2);
  TypeParam executor(2);
  std::vector<Future<int>> futures{executor.submit(wait_for, gate.where(), 1),
                                   executor.submit(square, 3)};
  const auto one = wait(futures, ReturnWhen::first_completed);
  ASSERT_EQ(one.done.size(), 1U);
  ASSERT_EQ(one.not_done.size(), 1U);
  EXPECT_EQ(one.done[0].result(), 9);

  EXPECT_EQ(wait(futures, ReturnWhen::all_completed, 10ms).not_done.size(), 1U);
  EXPECT_EQ(wait(futures, ReturnWhen::first_exception, 10ms).not_done.size(), 1U);
  EXPECT_EQ(wait(futures, ReturnWhen::all_completed, 0ms).done.size(), 1U);
  EXPECT_EQ(wait(futures, ReturnWhen::all_completed, -1ms).done.size(), 1U);

  futures.push_back(executor.submit([]() -> int { throw std::domain_error("no"); }));
  const auto failed = wait(futures, ReturnWhen::first_exception);
  EXPECT_EQ(failed.done.size(), 2U);
  EXPECT_EQ(failed.not_done.size(), 1U);

  gate[0] = 1;
  const auto all = wait(futures);
  EXPECT_EQ(all.done.size(), 3U);
  EXPECT_TRUE(all.not_done.empty());
  EXPECT_EQ(all.done[0].result(), 1);  // in the order in which they were given
}

TYPED_TEST(Futures, OfSeveralExecutorsTogether) {
  Tally gate(2);
  TypeParam slow(1), fast(1);
  const std::vector<Future<int>> futures{slow.submit(wait_for, gate.where(), 1),
                                         fast.submit(square, 2)};
  auto completed = as_completed(futures);
  EXPECT_EQ(completed.next().result(), 4);
  gate[0] = 1;
  EXPECT_EQ(completed.next().result(), 1);
}

/// A coroutine that starts at once, and whose end can be waited for by a thread.
struct Work {
  struct promise_type {
    Work get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

template <class Kind>
Work add_up(Kind& executor, Where gate, std::atomic<int>& sum, std::atomic<bool>& done) {
  const int first = co_await executor.submit(square, 3);
  const int second = co_await executor.submit(wait_for, gate, 5);
  sum = first + second;
  co_await executor.submit([] {});
  try {
    co_await executor.submit([]() -> int { throw std::domain_error("no"); });
  } catch (const std::domain_error&) {
    sum += 100;
  }
  done = true;
}

TYPED_TEST(Futures, CanBeAwaitedByCoroutines) {
  Tally gate(2);
  std::atomic<int> sum = 0;
  std::atomic<bool> done = false;
  TypeParam executor(1);
  add_up(executor, gate.where(), sum, done);
  EXPECT_FALSE(done);
  gate[0] = 1;
  until([&] { return done.load(); });
  EXPECT_EQ(sum, 114);
  const auto ended = executor.submit(square, 2);
  ended.result();
  std::thread::id thread;
  [](const Future<int>& future, std::thread::id& here) -> Work {
    co_await future;
    here = std::this_thread::get_id();
  }(ended, thread);
  EXPECT_EQ(thread, std::this_thread::get_id());  // had ended: goes on at once
}

}  // namespace
}  // namespace procession::executortest
