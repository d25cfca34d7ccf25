// Where fallocate() is denied, as by a container's filter of system calls or by an emulator, memory
// is had all the same.

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/memory.hpp"
#include "platform/named_memory.hpp"
#include "platform/support.hpp"
#include "process/denial.hpp"
#include "procession/error.hpp"

namespace procession::platform {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// Runs it in a copy of this process, where fallocate() fails with that error; its exit code.
template <class Run>
int where_denied(int error, Run run) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::_exit(process_test::deny({{SYS_fallocate, error}}) ? run() : 98);
    } catch (...) {
      ::_exit(99);
    }
  }
  return exit_code_of(child);
}

int use_memory() {
  const Descriptor file = create_memory_file("test", 64 * kMiB);
  std::byte* const base = map_shared(file.get(), 64 * kMiB);
  base[kMiB] = std::byte{1};
  if (!commit(file.get(), base, kMiB - 4096, 40 * kMiB)) return 1;
  if (file_memory(file.get()) != 40 * kMiB) return 2;
  if (base[kMiB] != std::byte{1}) return 3;
  std::memset(base + 2 * kMiB, 2, kMiB);
  punch_hole(file.get(), 2 * kMiB, kMiB / 2);
  if (base[2 * kMiB] != std::byte{0} || base[2 * kMiB + kMiB / 2] != std::byte{2}) return 4;
  return 0;
}

int use_named_memory() {
  const std::string name = "procession-denied-" + std::to_string(::getpid());
  const Descriptor file = create_named_memory(name, kMiB, name);
  remove_named_memory(name);
  return file_memory(file.get()) == kMiB ? 0 : 1;
}

TEST(MemoryDenied, IsHadWithoutFallocate) {
  for (const int error : {EOPNOTSUPP, ENOSYS, EPERM, EACCES}) {
    EXPECT_EQ(where_denied(error, use_memory), 0) << error;
    EXPECT_EQ(where_denied(error, use_named_memory), 0) << error;
  }
}

TEST(MemoryDenied, AFullSystemIsStillSaidToBeFull) {
  EXPECT_EQ(where_denied(ENOSPC, use_memory), 1);
}

}  // namespace
}  // namespace procession::platform
