#include "platform/futex.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <thread>

namespace procession::platform {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using FutexWord = std::atomic<std::uint32_t>;

TEST(Futex, DoesNotSleepWhenTheWordHasChanged) {
  const FutexWord word{5};
  EXPECT_EQ(futex_wait(word, 4), WaitResult::changed);
  EXPECT_EQ(futex_wait(word, 4, Duration::zero()), WaitResult::changed);
}

TEST(Futex, TimesOut) {
  const FutexWord word{5};
  const auto start = Clock::now();
  EXPECT_EQ(futex_wait(word, 5, milliseconds(20)), WaitResult::timed_out);
  EXPECT_GE(Clock::now() - start, milliseconds(20));
  EXPECT_EQ(futex_wait(word, 5, Duration::zero()), WaitResult::timed_out);
  EXPECT_EQ(futex_wait(word, 5, milliseconds(-1)), WaitResult::timed_out);
  EXPECT_EQ(futex_wait_until(word, 5, start), WaitResult::timed_out);
  EXPECT_EQ(futex_wait_until(word, 5, Clock::time_point::min()), WaitResult::timed_out);
}

TEST(Futex, WakesAcrossProcesses) {
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& word = *new (memory) FutexWord(0);
  const pid_t child = ::fork();
  if (child == 0) {
    while (word.load() == 0)
      futex_wait(word, 0);
    ::_exit(word.load() == 1 ? 0 : 1);
  }
  while (futex_wake(word, 1) == 0)
    ::usleep(100);  // until it sleeps
  word.store(1);
  futex_wake_all(word);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::munmap(memory, 4096);
}

TEST(Futex, SignalsDoNotEndAWait) {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  struct sigaction old_action{};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &old_action), 0);
  const itimerval often{{0, 1000}, {0, 1000}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  const FutexWord word{5};
  const auto start = Clock::now();
  EXPECT_EQ(futex_wait(word, 5, milliseconds(50)), WaitResult::timed_out);
  EXPECT_GE(Clock::now() - start, milliseconds(50));
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &old_action, nullptr);
}

TEST(Futex, ForAVeryLongTimeIsForEver) {
  FutexWord word{0};
  std::thread sleeper([&] {
    while (word.load() == 0)
      futex_wait(word, 0, Duration::max());
  });
  while (futex_wake(word, 1) == 0)
    std::this_thread::yield();
  word.store(1);
  futex_wake_all(word);
  sleeper.join();
}

}  // namespace
}  // namespace procession::platform
