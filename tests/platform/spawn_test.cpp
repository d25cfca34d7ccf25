#include "platform/spawn.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>

#include "platform/descriptor.hpp"
#include "platform/support.hpp"

namespace procession::platform {
namespace {

TEST(Spawn, CountsThreads) {
  const unsigned before = thread_count();
  EXPECT_GE(before, 1U);
  std::thread([&] { EXPECT_EQ(thread_count(), before + 1); }).join();
}

TEST(Spawn, ForkReturnsTheChild) {
  const int child = fork_process();
  if (child == 0) {
    exit_now(process_id() == ::getpid() ? 7 : 1);
  }
  EXPECT_EQ(exit_code_of(child), 7);
}

TEST(Spawn, ExitFlushedWritesWhatStreamsHold) {
  for (const bool flushed : {true, false}) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const Descriptor reading(ends[0]);
    Descriptor writing(ends[1]);
    std::fflush(nullptr);
    const int child = fork_process();
    if (child == 0) {
      ::dup2(writing.get(), 1);
      std::printf("held");
      flushed ? exit_flushed(3) : exit_now(3);
    }
    writing.reset();
    char text[8] = {};
    EXPECT_EQ(::read(reading.get(), text, sizeof text), flushed ? 4 : 0);
    EXPECT_EQ(exit_code_of(child), 3);
  }
}

// In a forked child, which has one thread: its copy is this process's child.
TEST(Spawn, ACloneIsASiblingWithItsOwnIdentity) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const int server = ::fork();
  if (server == 0) {
    if (!can_clone_sibling()) {
      exit_now(0);
    }
    const int sibling = clone_sibling();
    if (sibling == 0) {
      exit_now(::gettid() == ::getpid() ? 7 : 1);
    }
    exit_now(::write(writing.get(), &sibling, sizeof sibling) == sizeof sibling ? 0 : 1);
  }
  writing.reset();
  int sibling = 0;
  const bool cloned = ::read(reading.get(), &sibling, sizeof sibling) == sizeof sibling;
  EXPECT_EQ(exit_code_of(server), 0);
  if (!cloned) {
    GTEST_SKIP() << "processes with other threads cannot be cloned";
  }
  EXPECT_GT(sibling, 0);
  EXPECT_EQ(exit_code_of(sibling), 7);
}

TEST(Spawn, NoCloneBesideThreads) {
  std::thread([] { EXPECT_FALSE(can_clone_sibling()); }).join();
}

}  // namespace
}  // namespace procession::platform
