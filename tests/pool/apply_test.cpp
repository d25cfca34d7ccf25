// One call at a time, and the results that are waited for.

#include <array>
#include <numeric>
#include <random>
#include <string>

#include "kinds.hpp"
#include "procession/error.hpp"

namespace procession::pooltest {
namespace {

int add(int a, int b) { return a + b; }
void fail_after(Where gate) {
  await(gate);
  throw std::out_of_range("too far");
}

template <class Kind>
class PoolApply : public testing::Test {};
TYPED_TEST_SUITE(PoolApply, PoolKinds, PoolKindNames);

template <class Kind>
class PoolAsyncResult : public testing::Test {};
TYPED_TEST_SUITE(PoolAsyncResult, PoolKinds, PoolKindNames);

TEST(PoolOfProcesses, CallsAFunctionElsewhere) {
  Pool pool(1);
  EXPECT_EQ(pool.apply(add, 40, 2), 42);
  EXPECT_EQ(pool.apply(&add, 1, 2), 3);
  const int pid = pool.apply([] { return static_cast<int>(::getpid()); });
  EXPECT_NE(pid, ::getpid());
  EXPECT_EQ(pool.pids(), std::vector<int>{pid});
}

TYPED_TEST(PoolApply, TakesWhatCanBeCalled) {
  TypeParam pool(1);
  const auto factor = static_cast<int>(pool.size()) + 5;
  const Function<int(int)> held = [factor](int x) { return x * factor; };
  EXPECT_EQ(pool.apply([factor](int x) { return x * factor; }, 7), 42);
  EXPECT_EQ(pool.apply(procession::bind(add, 40), 2), 42);
  EXPECT_EQ(pool.apply(held, 7), 42);
  EXPECT_EQ(pool.apply(procession::bind([](const std::string& a, std::string& b) { return a + b; },
                                        std::string(1000, 'a')),
                       "b"),
            std::string(1000, 'a') + "b");
  struct Scale {
    double by;
    double operator()(double x) const { return by * x; }
  };
  EXPECT_EQ(pool.apply(Scale{2.5}, 4.0), 10.0);
}

TYPED_TEST(PoolApply, ArgumentsByValueReferenceAndConstReference) {
  TypeParam pool(1);
  EXPECT_EQ(pool.apply(
                [](std::string a, const std::string& b, std::string& c) {
                  c += "!";
                  return a + b + c;
                },
                "a", std::string("b"), "c"),
            "abc!");
}

TEST(PoolOfProcesses, RefusesCapturedAddresses) {
  Pool pool(1);
  int here = 0;
  EXPECT_THROW(pool.apply([&here] { return here; }), std::invalid_argument);
  EXPECT_THROW(pool.apply_async([where = &here] { return *where; }), std::invalid_argument);
  EXPECT_THROW(pool.map([&here](int x) { return x + here; }, {1, 2}), std::invalid_argument);
  try {
    pool.apply([&here] { return here; });
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("the function of a task"), std::string::npos)
        << error.what();
  }
  EXPECT_EQ(pool.apply(add, 1, 1), 2);
}

TYPED_TEST(PoolApply, RefusesANullFunction) {
  TypeParam pool(1);
  int (*none)(int, int) = nullptr;
  EXPECT_THROW(pool.apply(none, 1, 2), std::invalid_argument);
  EXPECT_EQ(pool.apply(add, 1, 1), 2);
}

TYPED_TEST(PoolAsyncResult, WaitsPollsAndTimesOut) {
  TypeParam pool(1);
  Tally gate;
  const AsyncResult<int> result = pool.apply_async(after, gate.where(), 5);
  EXPECT_FALSE(result.ready());
  EXPECT_FALSE(result.wait(0s));
  EXPECT_FALSE(result.wait(2ms));
  EXPECT_THROW(result.get(0s), TimeoutError);
  EXPECT_THROW(result.get(2ms), TimeoutError);
  EXPECT_THROW(static_cast<void>(result.successful()), ProcessError);
  gate[0] = 1;
  EXPECT_TRUE(result.wait());
  EXPECT_TRUE(result.ready());
  EXPECT_TRUE(result.wait(0s));
  EXPECT_TRUE(result.successful());
  EXPECT_EQ(result.get(0s), 5);
}

TYPED_TEST(PoolAsyncResult, CanBeAskedAgain) {
  TypeParam pool(1);
  Tally gate;
  gate[0] = 1;
  const auto result = pool.apply_async([](int n) { return std::vector<int>(1000, n); }, 7);
  EXPECT_EQ(result.get(), std::vector<int>(1000, 7));
  EXPECT_EQ(result.get(), std::vector<int>(1000, 7));
  const auto copy = result;  // NOLINT: copies are what is tested
  EXPECT_EQ(copy.get(), std::vector<int>(1000, 7));
  const auto failure = pool.apply_async(fail_after, gate.where());
  EXPECT_THROW(failure.get(), std::out_of_range);
  EXPECT_THROW(failure.get(), std::out_of_range);
  EXPECT_TRUE(failure.ready());
  EXPECT_TRUE(failure.wait());
  EXPECT_FALSE(failure.successful());
}

TYPED_TEST(PoolAsyncResult, CopiesNameTheSameTask) {
  TypeParam pool(1);
  Tally gate;
  auto first = pool.apply_async(after, gate.where(), 1);
  auto second = first;
  EXPECT_FALSE(second.ready());
  gate[0] = 1;
  EXPECT_EQ(second.get(), 1);
  EXPECT_TRUE(first.ready());
  first = pool.apply_async(after, gate.where(), 2);
  EXPECT_EQ(first.get(), 2);
  EXPECT_EQ(second.get(), 1);
}

TYPED_TEST(PoolAsyncResult, Pain14_OutlivesThePool) {
  std::optional<AsyncResult<std::string>> text;
  std::optional<AsyncResult<std::vector<int>>> numbers;
  std::optional<AsyncResult<void>> nothing;
  {
    TypeParam pool(2);
    text = pool.apply_async([] { return std::string(5000, 'x'); });
    numbers = pool.map_async([](int x) { return x * x; }, std::vector<int>{1, 2, 3});
    nothing = pool.apply_async([] { throw std::logic_error("no"); });
    pool.close();
  }
  EXPECT_EQ(text->get(), std::string(5000, 'x'));
  EXPECT_EQ(numbers->get(), (std::vector<int>{1, 4, 9}));
  EXPECT_THROW(nothing->get(), std::logic_error);
}

TYPED_TEST(PoolAsyncResult, AnyOrderFromAnyThread) {
  constexpr int kTasks = 400;
  TypeParam pool(2);
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < kTasks; ++i) {
    results.push_back(pool.apply_async(add, i, i));
  }
  std::vector<std::size_t> order(kTasks);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = thread % 2; i < order.size(); i += 2) {  // each by two threads
        wrong += results[order[i]].get() != 2 * static_cast<int>(order[i]) ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(PoolAsyncResult, ManyThreadsWaitForOne) {
  TypeParam pool(1);
  Tally gate;
  const auto result = pool.apply_async(after, gate.where(), 9);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] { right += result.get() == 9 ? 1 : 0; });
  }
  std::this_thread::sleep_for(5ms);
  gate[0] = 1;
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(right, 6);
}

// A slot is used again at once: who still looks at it for a task that has ended must not fall
// asleep on the task that came after.
TYPED_TEST(PoolAsyncResult, EndsForAWaiterWhoseSlotHasALongTaskByNow) {
  TypeParam pool(2);
  Tally gate;
  for (int round = 0; round < 300; ++round) {
    const auto result = pool.apply_async(add, round, 1);
    std::thread waiter([&] { EXPECT_EQ(result.get(), round + 1); });
    until([&] { return result.ready(); });
    gate[0] = 0;
    const auto next = pool.apply_async(after, gate.where(), round);  // in the same slot
    waiter.join();
    gate[0] = 1;
    EXPECT_EQ(next.get(), round);
  }
}

TYPED_TEST(PoolAsyncResult, TasksFromSeveralThreads) {
  TypeParam pool(2);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        wrong += pool.apply(add, thread, i) != thread + i ? 1 : 0;
        if (i % 20 == 0) {
          const auto squares = pool.map([](int x) { return x * x; }, std::array{1, 2, thread});
          wrong += squares != std::vector<int>{1, 4, thread * thread} ? 1 : 0;
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace procession::pooltest
