// Processes that are killed at each step of what they do to a lock or one of its kin, one step
// after the other: the next one who comes finds it usable, and what it guards whole.

#include "support/kill_step.hpp"

#include <array>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "process/support.hpp"
#include "procession/sync.hpp"
#include "procession/value.hpp"

#ifndef NDEBUG

namespace sync_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

/// Runs `act(object)` in processes that are killed at the first, the second, ... step of it, each
/// time with an object of its own, and has `check` look at the object, until one was not killed.
template <class Object, class Make, class Check>
void at_each_step(Make make, void (*act)(const Object&), std::size_t least, Check check) {
  process_test::exitcode_of(mp::StartMethod::forkserver, [] {});
  const auto before = mp::heap::audit();
  std::size_t step = 1;
  for (bool killed = true; killed && !testing::Test::HasFailure(); ++step) {
    SCOPED_TRACE("killed at step " + std::to_string(step));
    const Object object = make();
    mp::Process process(
        [](const Object& its, void (*action)(const Object&), std::size_t last) {
          kill_step::arm(last);
          action(its);
          kill_step::disarm();
        },
        object, act, step);
    process.start();
    process.join();
    killed = process.exitcode() == -SIGKILL;
    EXPECT_TRUE(killed || process.exitcode() == 0) << *process.exitcode();
    check(object, killed);
  }
  std::printf("%zu steps\n", step - 2);
  EXPECT_GE(step - 2, least);
  const auto after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.holds, before.holds);
}

template <class L>
void expect_usable(const L& object) {
  L lock = object;
  std::thread([&] { const std::scoped_lock guard(lock); }).join();
  const std::scoped_lock guard(lock);
  EXPECT_FALSE(lock.owner_died()) << "that was told to the one before";
}

TEST(LockAtEachStep, PassesToTheNext) {
  at_each_step<mp::Lock>([] { return mp::Lock(); },
                         [](const mp::Lock& lock) {
                           mp::Lock its = lock;
                           const std::scoped_lock guard(its);
                         },
                         7, [](const mp::Lock& lock, bool) { expect_usable(lock); });
}

TEST(LockAtEachStep, PassesToTheNextThoughItWasLockedTwice) {
  at_each_step<mp::RLock>([] { return mp::RLock(); },
                          [](const mp::RLock& lock) {
                            mp::RLock its = lock;
                            const std::scoped_lock outer(its);
                            mp::RLock again = lock;
                            const std::scoped_lock inner(again);
                          },
                          8, [](const mp::RLock& lock, bool) { expect_usable(lock); });
}

using Many = std::array<std::uint64_t, 50>;

TEST(ValueAtEachStep, IsTheOldOneOrTheNewOne) {
  at_each_step<mp::Value<Many>>(
      [] {
        Many ones;
        ones.fill(1);
        return mp::Value<Many>(ones);
      },
      [](const mp::Value<Many>& value) {
        Many twos;
        twos.fill(2);
        value.set_value(twos);
      },
      10,
      [](const mp::Value<Many>& value, bool killed) {
        const Many found = value.value();
        EXPECT_EQ(std::count(found.begin(), found.end(), found[0]), 50);
        EXPECT_TRUE(found[0] == 2 || (killed && found[0] == 1)) << found[0];
        EXPECT_EQ(value.update([](Many many) {
          many.fill(3);
          return many;
        })[49],
                  3U);
      });
}

TEST(ValueAtEachStep, ItsRepairMayBeTheLastOfAnotherOne) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    const mp::Value<int> value(0);
    for (int i = 0; i < 3; ++i) {
      mp::Process process(
          [](const mp::Value<int>& its, std::size_t step) {
            kill_step::arm(step);
            mp::Value<int> counted = its;
            ++counted;
            kill_step::disarm();
          },
          value, 1 + random() % 14);
      process.start();
      process.join();
    }
    const int found = value.value();
    EXPECT_GE(found, 0);
    EXPECT_LE(found, 3);
    mp::Value<int> counted = value;
    ++counted;
    EXPECT_EQ(value.value(), found + 1);
  }
}

TEST(SemaphoreAtEachStep, LosesNoMoreThanThePermitOfTheKilled) {
  at_each_step<mp::Semaphore>(
      [] { return mp::Semaphore(2); },
      [](const mp::Semaphore& semaphore) {
        semaphore.acquire();
        semaphore.release();
      },
      2,
      [](const mp::Semaphore& semaphore, bool killed) {
        EXPECT_TRUE(semaphore.value() == 2 || (killed && semaphore.value() == 1));
        semaphore.acquire();
        semaphore.release();
      });
}

TEST(EventAtEachStep, WakesThoseWhoWaitOrNotAtAll) {
  at_each_step<mp::Event>([] { return mp::Event(); }, [](const mp::Event& event) { event.set(); },
                          1,
                          [](const mp::Event& event, bool killed) {
                            EXPECT_TRUE(killed || event.is_set());
                            event.clear();
                            std::thread waiter([&] { event.wait(); });
                            event.set();
                            waiter.join();
                          });
}

/// Somebody waits, somebody else notifies: both come to an end.
void expect_notifies(const mp::Condition& condition) {
  std::atomic<bool> notified{false};
  std::thread waiter([&] {
    mp::Condition own = condition;
    const std::unique_lock guard(own);
    EXPECT_TRUE(own.wait());
    notified = true;
  });
  mp::Condition own = condition;
  while (!notified) {
    {
      const std::scoped_lock guard(own);
      own.notify(1);
    }
    std::this_thread::yield();
  }
  waiter.join();
}

TEST(ConditionAtEachStep, ForgetsAWaiterThatWasKilled) {
  at_each_step<mp::Condition>(
      [] { return mp::Condition(); },
      [](const mp::Condition& condition) {
        mp::Condition its = condition;
        const std::unique_lock guard(its);
        EXPECT_FALSE(its.wait(1ms));
      },
      15, [](const mp::Condition& condition, bool) { expect_notifies(condition); });
}

TEST(ConditionAtEachStep, IsNotifiedByTheNextWhenOneWasKilledOverIt) {
  process_test::exitcode_of(mp::StartMethod::forkserver, [] {});
  bool killed = true;
  for (std::size_t step = 1; killed && !HasFailure(); ++step) {
    const mp::Condition condition;
    std::vector<std::thread> waiters;
    std::atomic<int> waiting{0};
    for (int i = 0; i < 2; ++i) {
      waiters.emplace_back([&] {
        mp::Condition own = condition;
        const std::unique_lock guard(own);
        ++waiting;
        EXPECT_TRUE(own.wait());
      });
    }
    process_test::wait_until([&] { return waiting == 2; });
    mp::Process process(
        [](const mp::Condition& its, std::size_t last) {
          mp::Condition own = its;
          const std::scoped_lock guard(own);  // both wait now
          kill_step::arm(last);
          own.notify(1);
          kill_step::disarm();
        },
        condition, step);
    process.start();
    process.join();
    killed = process.exitcode() == -SIGKILL;
    {
      mp::Condition own = condition;
      const std::scoped_lock guard(own);
      own.notify_all();
    }
    // One who was chosen and not woken looks by itself after a while.
    for (std::thread& waiter : waiters)
      waiter.join();
    if (!killed) {
      EXPECT_GE(step, 4U);
    }
  }
}

TEST(BarrierAtEachStep, BreaksForTheOthersOrLetsThemPass) {
  at_each_step<mp::Barrier>([] { return mp::Barrier(2); },
                            [](const mp::Barrier& barrier) {
                              try {
                                barrier.wait(10ms);
                              } catch (const mp::BrokenBarrier&) {
                                // The time-out.
                              }
                            },
                            5,
                            [](const mp::Barrier& barrier, bool) {
                              EXPECT_EQ(barrier.n_waiting(), 0U);
                              barrier.reset();
                              std::thread other([&] { EXPECT_NO_THROW(barrier.wait()); });
                              EXPECT_NO_THROW(barrier.wait());
                              other.join();
                            });
}

TEST(BarrierAtEachStep, IsOpenedOrBrokenByTheLastOne) {
  process_test::exitcode_of(mp::StartMethod::forkserver, [] {});
  bool killed = true;
  std::size_t step = 1;
  for (; killed && !HasFailure(); ++step) {
    const mp::Barrier barrier(2);
    std::thread waiter([&] {
      try {
        barrier.wait();
      } catch (const mp::BrokenBarrier&) {
        EXPECT_TRUE(barrier.broken());
      }
    });
    process_test::wait_until([&] { return barrier.n_waiting() == 1; });
    mp::Process process(
        [](const mp::Barrier& its, std::size_t last) {
          kill_step::arm(last);
          its.wait();
          kill_step::disarm();
        },
        barrier, step);
    process.start();
    process.join();
    killed = process.exitcode() == -SIGKILL;
    if (killed && barrier.n_waiting() == 1 && !barrier.broken()) barrier.abort();  // it never came
    waiter.join();
  }
  EXPECT_GT(step, 4U);
}

/// One who ends the wait of others is killed over it: they are told all the same, or not at all.
void expect_told_by_the_next(void (*end)(const mp::Barrier&)) {
  process_test::exitcode_of(mp::StartMethod::forkserver, [] {});
  bool killed = true;
  std::size_t step = 1;
  for (; killed && !testing::Test::HasFailure(); ++step) {
    SCOPED_TRACE("killed at step " + std::to_string(step));
    const mp::Barrier barrier(3);
    std::vector<std::thread> waiters;
    std::atomic<int> broken = 0;
    for (int i = 0; i < 2; ++i) {
      waiters.emplace_back([&] {
        EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
        ++broken;
      });
    }
    process_test::wait_until([&] { return barrier.n_waiting() == 2; });
    mp::Process process(
        [](const mp::Barrier& its, void (*what)(const mp::Barrier&), std::size_t last) {
          kill_step::arm(last);
          what(its);
          kill_step::disarm();
        },
        barrier, end, step);
    process.start();
    process.join();
    killed = process.exitcode() == -SIGKILL;
    EXPECT_EQ(barrier.n_waiting(), 0U) << "to store the state is the first step";
    for (std::thread& waiter : waiters)
      waiter.join();
    EXPECT_EQ(broken, 2);
  }
  EXPECT_GT(step, 4U);
}

TEST(BarrierAtEachStep, IsResetByOneWhoIsKilledOverIt) {
  expect_told_by_the_next([](const mp::Barrier& barrier) { barrier.reset(); });
}

TEST(BarrierAtEachStep, IsAbortedByOneWhoIsKilledOverIt) {
  expect_told_by_the_next([](const mp::Barrier& barrier) { barrier.abort(); });
}

}  // namespace
}  // namespace sync_test

#endif
