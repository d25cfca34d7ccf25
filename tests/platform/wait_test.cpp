#include "platform/wait.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "platform/spawn.hpp"

namespace procession::platform {
namespace {

using std::chrono::milliseconds;

pid_t fork_sleeper() {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) {
      ::pause();
    }
  }
  return child;
}

pid_t fork_ended(int code) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(code);
  }
  return child;
}

TEST(Wait, AProcessIsReadableOnceItHasEnded) {
  const pid_t child = fork_sleeper();
  const Descriptor process = open_process(child).value();
  ASSERT_TRUE(static_cast<bool>(process));
  EXPECT_NE(::fcntl(process.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(wait_readable(process.get(), Deadline(Duration::zero())));
  EXPECT_EQ(reap(child).result, ReapResult::running);
  send_signal(process.get(), child, Signal::interrupt);
  send_signal(process.get(), child, Signal::terminate);
  EXPECT_TRUE(wait_readable(process.get(), Deadline(Timeout())));
  const Reaped reaped = reap(child);
  EXPECT_EQ(reaped.result, ReapResult::ended);
  EXPECT_TRUE(reaped.exitcode == -SIGINT || reaped.exitcode == -SIGTERM) << reaped.exitcode;
  EXPECT_TRUE(wait_readable(process.get(), Deadline(Duration::zero())));
  send_signal(process.get(), child, Signal::kill);  // there is nobody left, and no harm in it
  EXPECT_EQ(reap(child).result, ReapResult::unknown);
}

TEST(Wait, ReapWaitingGivesTheExitCode) {
  EXPECT_EQ(reap_waiting(fork_ended(9)).exitcode, 9);
  const pid_t child = fork_sleeper();
  send_signal_to(child, Signal::kill);
  EXPECT_EQ(reap_waiting(child).exitcode, -SIGKILL);
  EXPECT_EQ(reap_waiting(child).result, ReapResult::unknown);
}

TEST(Wait, AProcessThatIsGoneHasNoDescriptor) {
  const pid_t child = fork_ended(0);
  reap_waiting(child);
  EXPECT_FALSE(static_cast<bool>(open_process(child).value()));
}

TEST(Wait, AnEventStaysUntilItIsCleared) {
  const Descriptor event = make_event();
  EXPECT_FALSE(wait_readable(event.get(), Deadline(Duration::zero())));
  raise_event(event.get());
  raise_event(event.get());
  EXPECT_TRUE(wait_readable(event.get(), Deadline(Duration::zero())));
  EXPECT_TRUE(wait_readable(event.get(), Deadline(Timeout())));
  clear_event(event.get());
  EXPECT_FALSE(wait_readable(event.get(), Deadline(Duration::zero())));
}

TEST(Wait, TheDeadlineIsKept) {
  const Descriptor event = make_event();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(wait_readable(event.get(), Deadline(milliseconds(30))));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(30));
}

TEST(Wait, SignalsDoNotCutItShort) {
  struct sigaction before{};
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &nothing, &before);
  const Descriptor event = make_event();
  const pthread_t waiter = ::pthread_self();
  const auto start = std::chrono::steady_clock::now();
  std::thread disturber([waiter] {
    for (int i = 0; i < 20; ++i) {
      ::pthread_kill(waiter, SIGUSR1);
      ::usleep(1000);
    }
  });
  EXPECT_FALSE(wait_readable(event.get(), Deadline(milliseconds(50))));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(50));
  disturber.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(Wait, AnyTellsWhich) {
  const Descriptor first = make_event();
  const Descriptor second = make_event();
  const Descriptor third = make_event();
  const std::array<int, 3> all{first.get(), second.get(), third.get()};
  EXPECT_TRUE(wait_readable_any(all, Deadline(Duration::zero())).empty());
  raise_event(third.get());
  EXPECT_EQ(wait_readable_any(all, Deadline(Timeout())), std::vector<std::size_t>{2});
  raise_event(first.get());
  EXPECT_EQ(wait_readable_any(all, Deadline(Timeout())), (std::vector<std::size_t>{0, 2}));
}

}  // namespace
}  // namespace procession::platform
