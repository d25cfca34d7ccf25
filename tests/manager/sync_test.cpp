// Queues, locks and their kin in a manager: every member of each, and callers that wait.

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "manager/support.hpp"

namespace manager_test {
namespace {

using namespace std::chrono_literals;

class Waited : public Managed {};
PROCESSION_BY_ALL_METHODS(Waited);

TEST_P(Waited, Queue) {
  const mp::Manager manager = make_manager();
  const auto queue = manager.queue<std::string>(2);
  EXPECT_TRUE(queue.empty());
  EXPECT_THROW(queue.get(10ms), mp::Empty);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  queue.put("one");
  EXPECT_TRUE(queue.try_put("two"));
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.try_put("three"));
  EXPECT_THROW(queue.put("three", 10ms), mp::Full);
  EXPECT_THROW(queue.put("three", -1ns), mp::Full);
  EXPECT_EQ(queue.size(), 2);
  EXPECT_FALSE(queue.join(0ns));
  EXPECT_EQ(queue.get(), "one");
  queue.task_done();
  queue.shutdown();
  EXPECT_THROW(queue.put("three"), mp::ShutDown);
  EXPECT_EQ(queue.get(), "two");
  EXPECT_THROW(queue.get(), mp::ShutDown);
  queue.task_done();
  EXPECT_TRUE(queue.join());
  EXPECT_THROW(queue.task_done(), mp::ProcessError);
}

TEST_P(Waited, QueueBetweenProcesses) {
  const mp::Manager manager = make_manager();
  const auto tasks = manager.queue<int>(1);
  const auto results = manager.queue<int>();
  std::vector<mp::Process> processes;
  for (int i = 0; i < 2; ++i) {
    processes.push_back(started(
        GetParam(),
        [](const mp::QueueProxy<int>& from, const mp::QueueProxy<int>& to) {
          while (const int task = from.get()) {
            to.put(task * task);
            from.task_done();
          }
        },
        tasks, results));
  }
  int sum = 0;
  for (int i = 1; i <= 50; ++i) {
    tasks.put(i);
    sum -= i * i;
  }
  EXPECT_TRUE(tasks.join());
  for (int i = 0; i < 2; ++i)
    tasks.put(0);
  for (int i = 0; i < 50; ++i)
    sum += results.get();
  EXPECT_EQ(sum, 0);
  for (mp::Process& process : processes)
    process.join();
}

TEST_P(Waited, Locks) {
  const mp::Manager manager = make_manager();
  const auto lock = manager.lock();
  const auto rlock = manager.rlock();
  {
    const std::scoped_lock guard(lock, rlock);
    EXPECT_FALSE(lock.owner_died());
    EXPECT_FALSE(lock.try_lock());
    EXPECT_THROW(lock.lock(), mp::ProcessError);
    EXPECT_TRUE(rlock.try_lock());
    rlock.unlock();
    std::thread([&] {
      EXPECT_FALSE(lock.try_lock());
      EXPECT_FALSE(rlock.try_lock_for(10ms));
      EXPECT_THROW(lock.unlock(), mp::ProcessError);
      EXPECT_THROW(static_cast<void>(lock.owner_died()), mp::ProcessError);
    }).join();
  }
  EXPECT_THROW(lock.unlock(), mp::ProcessError);
  std::thread([&] { EXPECT_TRUE(lock.try_lock_for(-1ns)); }).join();
  // Its owner has gone and left it locked.
  lock.lock();
  EXPECT_TRUE(lock.owner_died());
  lock.unlock();
  lock.lock();
  EXPECT_FALSE(lock.owner_died());
}

// Whoever leaves a scope need not know that the server has ended meanwhile.
TEST_P(Waited, LocksOfAServerThatHasEndedAreGivenBack) {
  if (GetParam() == mp::StartMethod::thread) GTEST_SKIP() << "it ends with this process";
  mp::Manager manager = make_manager();
  const auto lock = manager.lock();
  const auto condition = manager.condition();
  {
    const std::scoped_lock guard(lock, condition);
    ::kill(manager.pid(), SIGKILL);
    EXPECT_ANY_THROW(condition.wait());
  }
  EXPECT_THROW(lock.lock(), mp::BrokenPipe);
}

TEST_P(Waited, LocksExclude) {
  const mp::Manager manager = make_manager();
  const auto lock = manager.lock();
  const auto value = manager.value<int>(0);
  std::vector<mp::Process> processes;
  for (int i = 0; i < 3; ++i) {
    processes.push_back(started(
        GetParam(),
        [](const mp::LockProxy& guard_of, const mp::ValueProxy<int>& shared) {
          for (int n = 0; n < 30; ++n) {
            const std::scoped_lock guard(guard_of);
            shared.set_value(shared.value() + 1);
          }
        },
        lock, value));
  }
  for (mp::Process& process : processes)
    process.join();
  EXPECT_EQ(value.value(), 90);
}

TEST_P(Waited, Semaphores) {
  const mp::Manager manager = make_manager();
  const auto semaphore = manager.semaphore(1);
  semaphore.acquire();
  EXPECT_FALSE(semaphore.try_acquire());
  EXPECT_FALSE(semaphore.try_acquire_for(10ms));
  semaphore.release(2);
  EXPECT_EQ(semaphore.value(), 2);
  EXPECT_THROW(semaphore.release(0), std::invalid_argument);
  const auto bounded = manager.bounded_semaphore(1);
  EXPECT_THROW(bounded.release(), mp::ProcessError);
  EXPECT_THROW(static_cast<void>(manager.semaphore(-1)), std::invalid_argument);
  std::thread waiter([&] {
    semaphore.acquire();
    semaphore.acquire();
    semaphore.acquire();
  });
  semaphore.release();
  waiter.join();
  EXPECT_EQ(semaphore.value(), 0);
}

TEST_P(Waited, Events) {
  const mp::Manager manager = make_manager();
  const auto event = manager.event();
  EXPECT_FALSE(event.is_set());
  EXPECT_FALSE(event.wait(10ms));
  mp::Process process =
      started(GetParam(), [](const mp::EventProxy& shared) { shared.wait(); }, event);
  event.set();
  process.join();
  EXPECT_TRUE(event.is_set());
  EXPECT_TRUE(event.wait());
  event.clear();
  EXPECT_FALSE(event.is_set());
}

TEST_P(Waited, Conditions) {
  const mp::Manager manager = make_manager();
  const auto changed = manager.condition();
  const auto turn = manager.value<int>(0);
  EXPECT_THROW(changed.wait(), mp::ProcessError);
  EXPECT_THROW(changed.notify(), mp::ProcessError);
  std::vector<mp::Process> processes;
  for (int i = 0; i < 2; ++i) {
    processes.push_back(started(
        GetParam(),
        [](const mp::ConditionProxy& condition, const mp::ValueProxy<int>& shared, int mine) {
          for (int round = 0; round < 20; ++round) {
            const std::scoped_lock guard(condition);
            condition.wait([&] { return shared.value() % 2 == mine; });
            shared += 1;
            condition.notify_all();
          }
        },
        changed, turn, i));
  }
  for (mp::Process& process : processes)
    process.join();
  EXPECT_EQ(turn.value(), 40);
  const std::scoped_lock guard(changed);
  EXPECT_FALSE(changed.wait(10ms));
  EXPECT_FALSE(changed.wait([] { return false; }, 10ms));
}

TEST_P(Waited, NotifyWakesSoManyAndTheFirstOnesFirst) {
  const mp::Manager manager = make_manager();
  const auto changed = manager.condition();
  const auto order = manager.list<int>();
  std::vector<std::thread> threads;
  std::atomic<int> waiting{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      const std::scoped_lock guard(changed);
      ++waiting;
      changed.wait();
      order.append(i);
    });
    wait_until([&] { return waiting == i + 1; });
    const std::scoped_lock guard(changed);  // it waits by now
  }
  {
    const std::scoped_lock guard(changed);
    changed.notify(1);
  }
  threads[0].join();
  EXPECT_EQ(order.values(), (std::vector<int>{0}));
  {
    const std::scoped_lock guard(changed);
    changed.notify(5);
  }
  threads[1].join();
  threads[2].join();
  EXPECT_EQ(order.size(), 3);
}

TEST_P(Waited, Barriers) {
  const mp::Manager manager = make_manager();
  const auto barrier = manager.barrier(2);
  EXPECT_EQ(barrier.parties(), 2);
  mp::Process process = started(
      GetParam(),
      [](const mp::BarrierProxy& shared) {
        for (int i = 0; i < 10; ++i)
          shared.wait();
      },
      barrier);
  for (int i = 0; i < 10; ++i)
    EXPECT_LE(barrier.wait(), 1);
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_THROW(barrier.wait(10ms), mp::BrokenBarrier);
  EXPECT_TRUE(barrier.broken());
  EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  std::thread waiter([&] { EXPECT_THROW(barrier.wait(), mp::BrokenBarrier); });
  wait_until([&] { return barrier.n_waiting() == 1; });
  barrier.abort();
  waiter.join();
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0);
  EXPECT_THROW(static_cast<void>(manager.barrier(0)), std::invalid_argument);
  const auto failing = manager.barrier(1, [] { throw std::domain_error("no"); });
  EXPECT_THROW(failing.wait(), std::domain_error);
  EXPECT_TRUE(failing.broken());
}

}  // namespace
}  // namespace manager_test
