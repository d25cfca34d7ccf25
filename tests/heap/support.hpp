#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>

#include "heap/heap.hpp"
#include "heap/testing.hpp"
#include "support/sanitized.hpp"

namespace procession::heap {

inline constexpr std::uint64_t kKibi = 1024;
inline constexpr std::uint64_t kMebi = 1024 * kKibi;

/// Forks; the child runs `body` and ends with 0, or with 1 if it threw or a test in it failed.
inline pid_t fork_child(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in a child: %s\n", error.what());
    ::_exit(1);
  }
  std::fflush(nullptr);
  ::_exit(::testing::Test::HasFailure() ? 1 : 0);
}

/// Waits for a child; its exit code, or -N when signal N ended it.
inline int join(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -1000;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// Runs `body` in a child that has no heap yet, with PROCESSION_HEAP set to `reserve` ("": unset).
inline void with_new_heap(const char* reserve, const std::function<void()>& body) {
  const pid_t child = fork_child([&] {
    testing::forget();
    ::setenv("PROCESSION_HEAP", reserve, 1);
    body();
  });
  EXPECT_EQ(join(child), 0);
}

/// For tests of blocks of either region.
inline const auto kBothRegions = ::testing::Values(Region::library, Region::users);
inline std::string region_name(const ::testing::TestParamInfo<Region>& region) {
  return region.param == Region::users ? "Users" : "Library";
}

/// The audit are the same, but for memory that moved between free and never used.
inline void expect_same_use(const Audit& found, const Audit& expected) {
  EXPECT_EQ(found.blocks, expected.blocks);
  EXPECT_EQ(found.in_use, expected.in_use);
  EXPECT_EQ(found.holds, expected.holds);
}

}  // namespace procession::heap
