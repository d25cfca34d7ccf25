// Processes that write past an end of a named block: they end, and reach nothing else.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <ostream>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "heap/heap.hpp"
#include "platform/fenced_mapping.hpp"
#include "platform/memory.hpp"
#include "procession/queue.hpp"
#include "procession/shareable_list.hpp"
#include "shared/support.hpp"

namespace shared_test {
namespace {

using mp::SharedMemory;

/// How many of the addresses from `begin` to `end` are kept free of everything, at one stretch
/// from each to the next.
std::uint64_t without_access(std::uintptr_t begin, std::uintptr_t end) {
  std::ifstream maps("/proc/self/maps");
  std::uint64_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    char access[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, access) == 3 &&
        std::string(access) == "---p") {
      const std::uintptr_t first = std::max(from, begin);
      const std::uintptr_t last = std::min(to, end);
      found += last > first ? last - first : 0;
    }
  }
  return found;
}

void expect_fences(std::span<const std::byte> memory) {
  const auto page = mp::platform::page_size();
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  const auto end = (begin + memory.size() + page - 1) / page * page;
  EXPECT_EQ(without_access(begin - mp::platform::kFence, begin), mp::platform::kFence);
  EXPECT_EQ(without_access(end, end + mp::platform::kFence), mp::platform::kFence);
}

TEST(Fence, IsAroundEachBlock) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{5000}, std::size_t{1} << 20}) {
    const auto made = SharedMemory::create(size);
    expect_fences(made.buf());
    const auto attached = SharedMemory::attach(made.name());
    expect_fences(attached.buf());
    EXPECT_NE(made.buf().data(), attached.buf().data());
  }
  const mp::ShareableList list{1, "two"};
  expect_fences(list.shm().buf());
}

TEST(Fence, GoesWithTheBlock) {
  std::uintptr_t begin = 0;
  {
    const auto made = SharedMemory::create(5000);
    begin = reinterpret_cast<std::uintptr_t>(made.buf().data());
  }
  EXPECT_LT(without_access(begin - mp::platform::kFence, begin + mp::platform::kFence),
            2 * mp::platform::kFence);
}

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Where a child begins to write, from an end of the block, and how far it means to get.
struct Overrun {
  const char* name;
  std::size_t begin;
  std::size_t bytes;
  friend void PrintTo(const Overrun& overrun, std::ostream* out) { *out << overrun.name; }
};

class FenceOverrun : public testing::TestWithParam<std::tuple<Overrun, bool>> {};
INSTANTIATE_TEST_SUITE_P(By, FenceOverrun,
                         testing::Combine(testing::Values(Overrun{"page", 0, 4096},
                                                          Overrun{"mebibyte", 0, kMiB},
                                                          Overrun{"index", kMiB, 1}),
                                          testing::Bool()),
                         [](const auto& one) {
                           return std::get<0>(one.param).name +
                                  std::string(std::get<1>(one.param) ? "Backward" : "Forward");
                         });

TEST_P(FenceOverrun, EndsTheProcessAndNothingElse) {
  const auto [overrun, backward] = GetParam();
  // Without fences the kernel puts one beside the other, and the first one beside the heap.
  const mp::Queue<int> queue;
  std::vector<SharedMemory> blocks;
  for (int i = 0; i < 5; ++i) {
    blocks.push_back(SharedMemory::create(kMiB));
  }
  const std::span<std::byte> middle = blocks[2].buf();
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGSEGV, SIG_DFL);  // a sanitizer's own handler prints
    volatile std::byte* at = backward ? middle.data() - 1 - overrun.begin
                                      : middle.data() + middle.size() + overrun.begin;
    for (std::size_t i = 0; i < overrun.bytes; ++i, backward ? --at : ++at) {
      *at = std::byte{0xAB};
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << status;
  for (const SharedMemory& block : blocks) {
    EXPECT_TRUE(std::all_of(block.buf().begin(), block.buf().end(),
                            [](std::byte byte) { return byte == std::byte{0}; }));
  }
  queue.put(1);
  EXPECT_EQ(queue.get(), 1);
  EXPECT_NO_THROW(static_cast<void>(mp::heap::audit()));
}

}  // namespace
}  // namespace shared_test
