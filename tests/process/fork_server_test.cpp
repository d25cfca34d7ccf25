#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "platform/mutex.hpp"
#include "process/proc_files.hpp"
#include "process/program.hpp"
#include "process/support.hpp"

namespace process_test {
namespace {

constexpr StartMethod kMethod = StartMethod::forkserver;

struct Counts {
  std::atomic<int> calls;
  std::atomic<int> seen;
};

int server_after_one_child() {
  EXPECT_EQ(exitcode_of(kMethod, [] {}), 0);
  return fork_server_pid();
}

TEST(ForkServer, IsOneForAllAndAChildsParentIsTheCaller) {
  const int server = server_after_one_child();
  ASSERT_NE(server, 0);
  const Board<Counts> counts;
  EXPECT_EQ(exitcode_of(
                kMethod, [](std::uint64_t place) { board<Counts>(place).seen = ::getppid(); },
                counts.place()),
            0);
  EXPECT_EQ(counts->seen, ::getpid());
  EXPECT_EQ(server_after_one_child(), server);
}

TEST(ForkServer, IsStartedAnewWhenItWasKilled) {
  for (int i = 0; i < 3; ++i) {
    const int server = server_after_one_child();
    ASSERT_NE(server, 0);
    ::kill(server, SIGKILL);
    if (i > 0) {  // dead for sure, or perhaps not yet
      wait_until([&] { return gone(server); });
    }
    const int next = server_after_one_child();
    EXPECT_NE(next, 0);
    EXPECT_NE(next, server);
    EXPECT_EQ(count_zombies(), 0);
  }
}

constexpr int kStarters = 4;
constexpr int kEach = 6;
using Runs = std::atomic<int>[kStarters * kEach];

TEST(ForkServer, KilledDuringStartsLosesAndDoublesNoChild) {
  constexpr int kRounds = 15;
  for (int round = 0; round < kRounds; ++round) {
    const int server = server_after_one_child();
    ASSERT_NE(server, 0);
    const Board<Runs> runs;
    const std::uint64_t place = runs.place();
    std::atomic<int> starting{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kStarters; ++t) {
      threads.emplace_back([&, t] {
        for (int n = 0; n < kEach; ++n) {
          ++starting;
          const auto code = exitcode_of(
              kMethod,
              [](std::uint64_t where, int slot) {
                ++board<Runs>(where)[slot];
                ::_exit(40 + slot);
              },
              place, t * kEach + n);
          EXPECT_EQ(code, 40 + t * kEach + n);
        }
      });
    }
    wait_until([&] { return starting > round % kEach; });
    std::this_thread::sleep_for(std::chrono::microseconds(137 * round));
    ::kill(server, SIGKILL);
    for (std::thread& thread : threads) {
      thread.join();
    }
    for (const auto& count : *runs) {
      EXPECT_EQ(count, 1);
    }
    EXPECT_EQ(count_zombies(), 0);
  }
}

TEST(ForkServer, OutlivesInterrupts) {
  const int server = server_after_one_child();
  ASSERT_NE(server, 0);
  ::kill(server, SIGINT);
  EXPECT_EQ(server_after_one_child(), server);
}

// ------------------------------------------------------------------------------------- preload

int preloaded = 0;

void preload_number(std::uint64_t place, int number) {
  ++board<Counts>(place).calls;
  preloaded = number;
}

void report_number(std::uint64_t place) { board<Counts>(place).seen = preloaded; }

/// Afterwards the fork server is as it was before.
class Preload : public testing::Test {
 protected:
  void TearDown() override {
    mp::set_forkserver_preload([] {});
  }
  Board<Counts> counts_;
};

TEST_F(Preload, RunsOnceAndIsSeenByAllChildren) {
  mp::set_forkserver_preload(mp::bind(preload_number, counts_.place(), 42));
  for (int i = 0; i < 3; ++i) {
    counts_->seen = 0;
    EXPECT_EQ(exitcode_of(kMethod, report_number, counts_.place()), 0);
    EXPECT_EQ(counts_->seen, 42);
  }
  EXPECT_EQ(counts_->calls, 1);
  EXPECT_EQ(preloaded, 0) << "not in this process";
}

TEST_F(Preload, CanBeSetAgain) {
  mp::set_forkserver_preload(mp::bind(preload_number, counts_.place(), 1));
  EXPECT_EQ(exitcode_of(kMethod, report_number, counts_.place()), 0);
  mp::set_forkserver_preload(mp::bind(preload_number, counts_.place(), 2));
  EXPECT_EQ(exitcode_of(kMethod, report_number, counts_.place()), 0);
  EXPECT_EQ(counts_->seen, 2);
  EXPECT_EQ(counts_->calls, 2);
}

TEST_F(Preload, RunsAgainInAServerStartedAnew) {
  mp::set_forkserver_preload(mp::bind(preload_number, counts_.place(), 3));
  ::kill(server_after_one_child(), SIGKILL);
  EXPECT_EQ(exitcode_of(kMethod, report_number, counts_.place()), 0);
  EXPECT_EQ(counts_->seen, 3);
  EXPECT_EQ(counts_->calls, 2);
}

TEST_F(Preload, WhatItThrowsIsReportedByStart) {
  mp::set_forkserver_preload([] { throw std::out_of_range("no such table"); });
  for (int i = 0; i < 2; ++i) {
    mp::Process process([] {});
    const std::string text = text_of<mp::ProcessError>([&] { process.start(); });
    EXPECT_NE(text.find("set_forkserver_preload"), std::string::npos) << text;
    EXPECT_NE(text.find("std::out_of_range: no such table"), std::string::npos) << text;
    EXPECT_EQ(process.pid(), 0);
  }
  EXPECT_EQ(count_zombies(), 0);
  mp::set_forkserver_preload([] {});
  EXPECT_EQ(exitcode_of(kMethod, [] {}), 0);
}

TEST_F(Preload, ThatEndsTheServerIsReportedByStart) {
  mp::set_forkserver_preload([] { std::_Exit(3); });
  mp::Process process([] {});
  const std::string text = text_of<mp::ProcessError>([&] { process.start(); });
  EXPECT_NE(text.find("exit code 3"), std::string::npos) << text;
  EXPECT_NE(text.find("set_forkserver_preload"), std::string::npos) << text;
  EXPECT_EQ(count_zombies(), 0);
}

TEST_F(Preload, ThatLeavesAThreadMakesChildrenSpawn) {
  mp::set_forkserver_preload(mp::bind(
      [](std::uint64_t place) {
        preload_number(place, 5);
        std::thread(sleep_for_ever).detach();
      },
      counts_.place()));
  counts_->seen = -1;
  EXPECT_EQ(exitcode_of(kMethod, report_number, counts_.place()), 0);
  EXPECT_EQ(counts_->seen, 0) << "spawned: not preloaded";
  EXPECT_EQ(exitcode_of(kMethod, report_number, counts_.place()), 0);
  EXPECT_EQ(counts_->calls, 1);
}

// ------------------------------------------------------- glibc's state in a process copied by
// clone

using Copied = EachMethod;
PROCESSION_BY_PROCESS_METHODS(Copied);

TEST_P(Copied, AMutexOfAKilledHolderIsRecovered) {
  using mp::platform::RobustMutex;
  const Board<RobustMutex> mutex;
  mutex->init();
  const auto code = exitcode_of(
      GetParam(),
      [](std::uint64_t place) {
        static_cast<void>(board<RobustMutex>(place).lock());
        ::raise(SIGKILL);
      },
      mutex.place());
  EXPECT_EQ(code, -SIGKILL);
  const auto result = mutex->lock();
  EXPECT_TRUE(result.acquired);
  EXPECT_TRUE(result.previous_owner_died);
  mutex->make_consistent();
  mutex->unlock();
}

TEST_P(Copied, AMutexOfAKilledThreadOfTheChildIsRecovered) {
  using mp::platform::RobustMutex;
  const Board<RobustMutex> mutex;
  mutex->init();
  const auto code = exitcode_of(
      GetParam(),
      [](std::uint64_t place) {
        std::thread([place] {
          static_cast<void>(board<RobustMutex>(place).lock());
          ::raise(SIGKILL);
        }).join();
      },
      mutex.place());
  EXPECT_EQ(code, -SIGKILL);
  EXPECT_TRUE(mutex->lock().previous_owner_died);
  mutex->make_consistent();
  mutex->unlock();
}

std::atomic<int> handled{0};

void check_own_state() {
  const auto expect = [](bool condition, const char* what) {
    if (!condition) {
      throw std::logic_error(what);
    }
  };
  expect(::gettid() == ::getpid(), "the main thread's id is the process's");
  ::signal(SIGUSR1, [](int) { ++handled; });
  ::raise(SIGUSR1);  // by the thread id that glibc remembers
  expect(handled == 1, "raise reaches this process");
  ::pthread_kill(::pthread_self(), SIGUSR1);
  expect(handled == 2, "pthread_kill does");
  pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
  ::pthread_mutex_lock(&mutex);
  expect(::pthread_mutex_lock(&mutex) == EDEADLK, "a mutex knows its owner");
  expect(mutex.__data.__owner == ::gettid(), "under the number by which the kernel knows it");
  ::pthread_mutex_unlock(&mutex);
  std::vector<std::thread> threads;
  std::atomic<int> caught{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        throw std::runtime_error("in a thread");
      } catch (const std::exception&) {
        ++caught;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  expect(caught == 4, "threads and exceptions work");
}

TEST_P(Copied, ThreadsSignalsAndExceptionsWork) {
  EXPECT_EQ(exitcode_of(GetParam(), check_own_state), 0);
}

TEST_P(Copied, NoSignalIsBlockedOrLeftIgnored) {
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto code = exitcode_of(GetParam(), [] {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    struct sigaction child{};
    ::sigaction(SIGCHLD, nullptr, &child);
    struct sigaction terminate{};
    ::sigaction(SIGTERM, nullptr, &terminate);
    ::_exit((::sigismember(&mask, SIGUSR2) != 0 ? 1 : 0) + (child.sa_handler != SIG_DFL ? 2 : 0) +
            (terminate.sa_handler != SIG_DFL ? 4 : 0));
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(code, GetParam() == StartMethod::fork ? 1 : 0) << "fork copies the mask";
}

}  // namespace
}  // namespace process_test
