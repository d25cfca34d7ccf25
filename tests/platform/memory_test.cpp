#include "platform/memory.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "platform/liveness.hpp"

namespace procession::platform {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

TEST(Memory, IsSparseUntilItIsCommitted) {
  const Descriptor file = create_memory_file("test", 256 * kMebi);
  EXPECT_EQ(file_size(file.get()), 256 * kMebi);
  EXPECT_EQ(file_memory(file.get()), 0U);
  std::byte* const base = map_shared(file.get(), 256 * kMebi);
  ASSERT_NE(base, nullptr);
  advise_sparse(base, 256 * kMebi);
  EXPECT_TRUE(commit(file.get(), base, kMebi + 64, 40 * kMebi));
  EXPECT_GE(file_memory(file.get()), 40 * kMebi);
  EXPECT_LE(file_memory(file.get()), 46 * kMebi);
  std::memset(base + kMebi + 64, 1, 40 * kMebi);
  EXPECT_TRUE(commit(file.get(), base, kMebi, 40 * kMebi));
  EXPECT_EQ(base[2 * kMebi], std::byte{1}) << "committing again changes nothing";
  punch_hole(file.get(), 3 * kMebi + 1, 4 * kMebi);
  EXPECT_EQ(base[3 * kMebi], std::byte{1}) << "of a page that is not all meant";
  EXPECT_EQ(base[4 * kMebi], std::byte{0});
  EXPECT_EQ(base[7 * kMebi], std::byte{1});
  punch_hole(file.get(), 0, 256 * kMebi);
  EXPECT_EQ(file_memory(file.get()), 0U);
  unmap(base, 256 * kMebi);
}

TEST(Memory, CannotBeShrunkUnderTheOthers) {
  const Descriptor file = create_memory_file("test", kMebi);
  EXPECT_NE(::ftruncate(file.get(), 4096), 0);
  EXPECT_EQ(file_size(file.get()), kMebi);
}

// A single call of fallocate is undone by any signal: a timer could keep it from ever ending.
TEST(Memory, IsCommittedInSpiteOfSignals) {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  struct sigaction old_action{};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &old_action), 0);
  const itimerval often{{0, 20'000}, {0, 20'000}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  const Descriptor file = create_memory_file("test", 512 * kMebi);
  EXPECT_TRUE(commit(file.get(), nullptr, 0, 512 * kMebi));
  EXPECT_EQ(file_memory(file.get()), 512 * kMebi);
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &old_action, nullptr);
}

TEST(Memory, WrongDescriptorsHaveNone) {
  EXPECT_EQ(file_size(-1), 0U);
  EXPECT_EQ(file_memory(-1), 0U);
  EXPECT_EQ(map_shared(-1, kMebi), nullptr);
  EXPECT_FALSE(commit(-1, nullptr, 0, kMebi));
}

TEST(Memory, KnowsTheMachine) {
  EXPECT_GT(physical_memory(), 16 * kMebi);
  EXPECT_GT(available_memory(), kMebi);
  EXPECT_LE(available_memory(), physical_memory());
  EXPECT_GT(address_space_left(), kMebi);
  EXPECT_GT(file_size_limit(), kMebi);
}

TEST(Liveness, LocksBelongToAProcess) {
  const Descriptor file = create_memory_file("test", kMebi);
  EXPECT_TRUE(lock_byte(file.get(), 100));
  EXPECT_TRUE(lock_byte(file.get(), 100)) << "its own lock is no obstacle";
  EXPECT_FALSE(byte_is_locked(file.get(), 100)) << "nor seen";
  const pid_t child = ::fork();
  if (child == 0) {
    const bool good = byte_is_locked(file.get(), 100) && !lock_byte(file.get(), 100) &&
                      !byte_is_locked(file.get(), 101) && lock_byte(file.get(), 101);
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(byte_is_locked(file.get(), 101)) << "it went with its process";
}

}  // namespace
}  // namespace procession::platform
