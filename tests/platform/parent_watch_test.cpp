#include "platform/parent_watch.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "platform/support.hpp"

namespace procession::platform {
namespace {

/// A child that watches and does nothing else.
pid_t fork_watcher(ParentWatch& line) {
  const pid_t child = ::fork();
  if (child == 0) {
    line.held.reset();
    const Descriptor own = open_own(line.watched.get());
    die_with(own, false);
    for (;;) {
      ::pause();
    }
  }
  return child;
}

TEST(Life, EndsWhoWatchesWhenTheHolderLetsGo) {
  ParentWatch line = make_parent_watch();
  const pid_t first = fork_watcher(line);
  const pid_t second = fork_watcher(line);
  line.held.reset();
  EXPECT_EQ(exit_code_of(first), -SIGKILL);
  EXPECT_EQ(exit_code_of(second), -SIGKILL);
}

TEST(Life, EndsWhoWatchesAHolderThatIsKilled) {
  ParentWatch line = make_parent_watch();
  const pid_t watcher = fork_watcher(line);
  const pid_t holder = ::fork();
  if (holder == 0) {
    for (;;) {
      ::pause();
    }
  }
  line.held.reset();  // only the holder has it now
  EXPECT_EQ(::waitpid(watcher, nullptr, WNOHANG), 0) << "it lives with its holder";
  ::kill(holder, SIGKILL);
  EXPECT_EQ(exit_code_of(holder), -SIGKILL);
  EXPECT_EQ(exit_code_of(watcher), -SIGKILL);
}

TEST(Life, EndsWhoComesTooLateAtOnce) {
  ParentWatch line = make_parent_watch();
  line.held.reset();
  EXPECT_EQ(exit_code_of(fork_watcher(line)), -SIGKILL);
}

TEST(Life, IsNotEndedByTheThreadThatMadeTheLine) {
  ParentWatch line;
  pid_t watcher = 0;
  std::thread([&] {
    line = make_parent_watch();
    watcher = fork_watcher(line);
  }).join();
  ::usleep(20'000);
  EXPECT_EQ(::waitpid(watcher, nullptr, WNOHANG), 0);
  line.held.reset();
  EXPECT_EQ(exit_code_of(watcher), -SIGKILL);
}

TEST(Life, EndsOnlyWhoWatches) {
  ParentWatch line = make_parent_watch();
  const pid_t bystander = ::fork();
  if (bystander == 0) {
    line.held.reset();
    pollfd entry{line.watched.get(), 0, 0};
    ::poll(&entry, 1, -1);  // has the descriptor, and is not signalled
    ::_exit(7);
  }
  const pid_t watcher = fork_watcher(line);
  line.held.reset();
  EXPECT_EQ(exit_code_of(watcher), -SIGKILL);
  EXPECT_EQ(exit_code_of(bystander), 7);
}

}  // namespace
}  // namespace procession::platform
