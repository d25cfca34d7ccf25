// Core dumps: the heap's start, which tells of locks, pools and queues, and not all that it may
// come to be.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "heap/heap.hpp"
#include "process/program.hpp"
#include "support/sanitized.hpp"

namespace procession::heap {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

struct Sizes {
  std::uint64_t dumped = 0;
  std::uint64_t left_out = 0;
};

/// Bytes of this process's mappings of the heap.
Sizes mapped() {
  Sizes sizes;
  std::ifstream file("/proc/self/smaps");
  bool of_heap = false;
  std::uint64_t bytes = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name.find('-') != std::string::npos && name.back() != ':') {
      of_heap = line.find("procession-heap") != std::string::npos;
    } else if (of_heap && name == "Size:") {
      words >> bytes;
      bytes *= 1024;
    } else if (of_heap && name == "VmFlags:") {
      (line.find(" dd") != std::string::npos ? sizes.left_out : sizes.dumped) += bytes;
    }
  }
  return sizes;
}

TEST(HeapDump, HoldsItsStartAlone) {
  ensure();
  const Sizes sizes = mapped();
  EXPECT_GE(sizes.dumped, kMebi);
  EXPECT_LE(sizes.dumped, 16 * kMebi);
  EXPECT_GE(sizes.left_out, 512 * kMebi);
}

TEST(HeapDump, ACoreIsSmall) {
  std::ifstream pattern("/proc/sys/kernel/core_pattern");
  std::string to;
  std::getline(pattern, to);
  if (kSanitized || to.empty() || to.find_first_of("/|") != std::string::npos) {
    GTEST_SKIP() << "no core of this program, or not into its folder: " << to;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  if (limit.rlim_max != RLIM_INFINITY) {
    GTEST_SKIP() << "cores are limited here";
  }
  ensure();
  const process_test::Folder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    limit.rlim_cur = RLIM_INFINITY;
    ::setrlimit(RLIMIT_CORE, &limit);
    ::signal(SIGABRT, SIG_DFL);
    if (::chdir(folder.path().c_str()) != 0) ::_exit(1);
    std::abort();
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  if (!WCOREDUMP(status)) {
    GTEST_SKIP() << "no core was made";
  }
  std::uint64_t size = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    size += entry.file_size();
  }
  EXPECT_GT(size, 0U);
  EXPECT_LT(size, 256 * kMebi);
}

}  // namespace
}  // namespace procession::heap
