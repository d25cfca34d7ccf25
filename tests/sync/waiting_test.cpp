#include <signal.h>
#include <sys/resource.h>

#include <mutex>
#include <random>

#include "process/support.hpp"
#include "procession/array.hpp"
#include "procession/sync.hpp"

namespace sync_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using mp::StartMethod;
using process_test::sleep_for_ever;
using process_test::text_of;
using process_test::wait_until;

class WaitingBy : public testing::TestWithParam<StartMethod> {
 protected:
  template <class F, class... Args>
  mp::Process start(F f, const Args&... args) {
    return process_test::started(GetParam(), f, args...);
  }
};

TEST_P(WaitingBy, SemaphorePermitsAreWaitedFor) {
  const mp::Semaphore semaphore(0);
  const mp::Semaphore back(0);
  mp::Process process = start(
      [](const mp::Semaphore& from, const mp::Semaphore& to) {
        for (int i = 0; i < 100; ++i) {
          from.acquire();
          to.release();
        }
      },
      semaphore, back);
  for (int i = 0; i < 100; ++i) {
    semaphore.release();
    back.acquire();
  }
  process.join();
  EXPECT_EQ(semaphore.value(), 0U);
  EXPECT_FALSE(back.try_acquire());
}

TEST_P(WaitingBy, EventWakesAllWhoWait) {
  const mp::Event event;
  const mp::Semaphore there(0);
  const mp::Semaphore woken(0);
  std::vector<mp::Process> processes;
  for (int i = 0; i < 3; ++i) {
    processes.push_back(start(
        [](const mp::Event& e, const mp::Semaphore& before, const mp::Semaphore& after) {
          before.release();
          if (e.wait()) after.release();
        },
        event, there, woken));
  }
  for (int i = 0; i < 3; ++i)
    there.acquire();
  event.set();
  for (int i = 0; i < 3; ++i)
    woken.acquire();
  EXPECT_TRUE(event.is_set());
  EXPECT_TRUE(event.wait(0ns));
  event.clear();
  EXPECT_FALSE(event.wait(1ms));
  for (auto& process : processes)
    process.join();
}

TEST_P(WaitingBy, ConditionNotifiesWhoWaits) {
  const mp::Condition condition;
  const mp::Array<int> turn(1);
  mp::Process process = start(
      [](const mp::Condition& c, const mp::Array<int>& t) {
        const std::scoped_lock guard(c);
        for (int i = 1; i < 100; i += 2) {
          c.wait([&] { return t[0] == i; });
          t[0] = i + 1;
          c.notify();
        }
      },
      condition, turn);
  {
    const std::scoped_lock guard(condition);
    for (int i = 0; i < 100; i += 2) {
      condition.wait([&] { return turn[0] == i; });
      turn[0] = i + 1;
      condition.notify();
    }
    EXPECT_TRUE(condition.wait([&] { return turn[0] == 100; }));
    EXPECT_FALSE(condition.wait(1ms));
    EXPECT_FALSE(condition.wait([] { return false; }, 1ms));
  }
  process.join();
}

TEST_P(WaitingBy, BarrierLetsAllGoTogether) {
  const mp::Array<int> counts(2);
  mp::Barrier barrier(3, mp::bind([](const mp::Array<int>& c) { ++c[1]; }, counts));
  const auto party = [](const mp::Barrier& b, const mp::Array<int>& c) {
    for (int round = 1; round <= 20; ++round) {
      std::atomic_ref(c[0]).fetch_add(1);
      b.wait();
      if (std::atomic_ref(c[0]) < 3 * round) std::abort();
    }
  };
  mp::Process one = start(party, barrier, counts);
  mp::Process two = start(party, barrier, counts);
  party(barrier, counts);
  one.join();
  two.join();
  EXPECT_EQ(one.exitcode(), 0);
  EXPECT_EQ(two.exitcode(), 0);
  EXPECT_EQ(counts[0], 60);
  EXPECT_EQ(counts[1], 20);
  EXPECT_EQ(barrier.n_waiting(), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, WaitingBy,
                         testing::Values(StartMethod::forkserver, StartMethod::spawn,
                                         StartMethod::fork, StartMethod::thread),
                         [](const auto& test) { return mp::to_string(test.param); });

TEST(Semaphore, BoundedRefusesTooManyReleases) {
  const mp::BoundedSemaphore semaphore(2);
  EXPECT_TRUE(semaphore.try_acquire());
  semaphore.release();
  EXPECT_NE(text_of<mp::ProcessError>([&] { semaphore.release(); }).find("may have 2"),
            std::string::npos);
  EXPECT_EQ(semaphore.value(), 2U);
  const mp::Semaphore plain(1);
  plain.release(5);
  EXPECT_EQ(plain.value(), 6U);
  EXPECT_THROW(plain.release(0xffff'ffff), mp::ProcessError);
  EXPECT_THROW(plain.release(-1), std::invalid_argument);
  EXPECT_THROW(plain.release(0), std::invalid_argument);
  EXPECT_NE(text_of<std::invalid_argument>([] { mp::Semaphore(-1); }).find("-1 permits"),
            std::string::npos);
  EXPECT_THROW(mp::BoundedSemaphore(-1), std::invalid_argument);
  EXPECT_FALSE(mp::Semaphore(0).try_acquire_for(1ms));
  EXPECT_FALSE(mp::Semaphore(0).try_acquire_for(-1ns));
}

TEST(Event, OfAMomentIsNotMissed) {
  const mp::Event event;
  const mp::Semaphore there(0);
  mp::Process process(
      [](const mp::Event& e, const mp::Semaphore& s) {
        s.release();
        e.wait();
      },
      event, there);
  process.start();
  there.acquire();
  while (!process.join(1ms)) {  // until it has come to wait
    event.set();
    event.clear();
  }
  EXPECT_EQ(process.exitcode(), 0);
}

TEST(Condition, NeedsItsLock) {
  const mp::Condition condition;
  EXPECT_THROW(condition.wait(), mp::ProcessError);
  EXPECT_NE(text_of<mp::ProcessError>([&] { condition.notify_all(); }).find("nobody has locked"),
            std::string::npos);
  const mp::Lock lock;
  const mp::Condition with(lock);
  const std::scoped_lock guard(lock);
  with.notify();
  EXPECT_FALSE(with.wait(1ms));
}

TEST(Condition, GivesAnRLockUpWhole) {
  const mp::RLock lock;
  const mp::Condition condition(lock);
  const std::scoped_lock outer(lock);
  const std::scoped_lock inner(lock);
  std::thread other([&] {
    const std::scoped_lock guard(condition);
    condition.notify();
  });
  EXPECT_TRUE(condition.wait());
  other.join();
  std::thread([&] { EXPECT_FALSE(lock.try_lock()); }).join();
}

TEST(Condition, HasRoomForManyWaiters) {
  const mp::Condition condition;
  std::atomic<int> waiting = 0;
  std::atomic<int> woken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&] {
      const std::scoped_lock guard(condition);
      ++waiting;
      if (condition.wait()) ++woken;
    });
  }
  wait_until([&] { return waiting == 40; });
  {
    const std::scoped_lock guard(condition);
    condition.notify(7);
  }
  wait_until([&] { return woken == 7; });
  {
    const std::scoped_lock guard(condition);
    condition.notify_all();
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(woken, 40);
}

void wait_for_good(const mp::Condition& condition, const mp::Array<int>& waiting,
                   const mp::Array<int>& woken) {
  const std::scoped_lock guard(condition);
  ++waiting[0];
  if (condition.wait()) ++woken[0];
}

TEST(Pains, Pain04_NotifyPassesOverDeadWaiters) {
  const mp::Condition condition;
  const mp::Array<int> waiting(1);
  const mp::Array<int> woken(1);
  std::vector<std::unique_ptr<mp::Process>> processes;
  const auto start_waiter = [&] {
    const int before = waiting[0];
    processes.push_back(std::make_unique<mp::Process>(wait_for_good, condition, waiting, woken));
    processes.back()->start();
    wait_until([&] {
      const std::scoped_lock guard(condition);
      return waiting[0] == before + 1;
    });
  };
  for (int round = 0; round < 20; ++round) {
    processes.clear();
    for (int i = 0; i < 4; ++i)
      start_waiter();
    for (int i = 0; i < 3; ++i)
      processes[static_cast<std::size_t>(i)]->kill();
    for (int i = 0; i < 3; ++i)
      processes[static_cast<std::size_t>(i)]->join();
    {
      const std::scoped_lock guard(condition);
      condition.notify(1);  // those that were killed came first
    }
    processes[3]->join();
    EXPECT_EQ(woken[0], round + 1);
  }
}

/// Microseconds of processor time that this process has spent.
long spent() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [](const timeval& time) {
    return time.tv_sec * 1'000'000 + time.tv_usec;
  };
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

TEST(Waiting, BurnsNoProcessorTime) {
  const mp::Event event;
  mp::Process process(
      [](const mp::Event& e) {
        // What the machine's other work adds is not the waiter's doing: the best of three counts.
        for (int attempt = 0; attempt < 3; ++attempt) {
          const long before = spent();
          e.wait(10s);
          const long microseconds = spent() - before;
          std::printf("%ld us of processor time in 10 s\n", microseconds);
          if (microseconds < (process_test::kSanitized ? 10'000 : 1000)) std::exit(0);
        }
        std::exit(1);
      },
      event);
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

void handle_signal(int) {}

TEST(Waiting, IsNotEndedByASignalHandler) {
  struct sigaction action{};
  action.sa_handler = handle_signal;
  ::sigaction(SIGUSR1, &action, nullptr);
  const mp::Event event;
  const mp::Semaphore semaphore(0);
  std::atomic<bool> ended = false;
  std::thread waiter([&] {
    EXPECT_TRUE(event.wait());
    semaphore.acquire();
    ended = true;
  });
  for (int i = 0; i < 50; ++i) {
    ::pthread_kill(waiter.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(100us);
  }
  EXPECT_FALSE(ended);
  event.set();
  for (int i = 0; i < 50; ++i) {
    ::pthread_kill(waiter.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(100us);
  }
  EXPECT_FALSE(ended);
  semaphore.release();
  waiter.join();
}

}  // namespace
}  // namespace sync_test
