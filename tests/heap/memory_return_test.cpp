#include <cstring>
#include <initializer_list>
#include <vector>

#include "platform/memory.hpp"
#include "procession/error.hpp"
#include "support.hpp"

namespace procession::heap {
namespace {

class MemoryReturn : public ::testing::TestWithParam<Region> {};

INSTANTIATE_TEST_SUITE_P(Of, MemoryReturn, kBothRegions, &region_name);

std::uint64_t used() { return platform::file_memory(descriptor()); }

TEST_P(MemoryReturn, LargeBlocksBeyondTheBudgetGoBack) {
  with_new_heap("256M", [region = GetParam()] {  // 64 MiB may lie idle
    ensure();
    for (int round = 0; round < 3; ++round) {
      {
        Block block(100 * kMebi, true, region);
        EXPECT_GE(used(), 100 * kMebi);
        for (std::size_t i = 0; i < block.size(); i += 64) {
          ASSERT_EQ(block.data()[i], std::byte{0});
        }
        std::memset(block.data(), 0xEE, block.size());
      }
      EXPECT_LT(used(), 2 * kMebi);
      audit();
    }
  });
}

TEST_P(MemoryReturn, SomeStaysForTheNext) {
  with_new_heap("256M", [region = GetParam()] {
    ensure();
    Offset first = 0;
    {
      const Block block(40 * kMebi, false, region);
      first = block.offset();
    }
    EXPECT_GE(used(), 40 * kMebi);
    {
      EXPECT_EQ(Block(40 * kMebi, false, region).offset(), first);
    }
    std::vector<Block> blocks;
    for (int i = 0; i < 5; ++i)
      blocks.emplace_back(20 * kMebi, false, region);
    EXPECT_GE(used(), 140 * kMebi);
    blocks.clear();
    EXPECT_LT(used(), 70 * kMebi);
    EXPECT_GE(used(), 40 * kMebi);
    audit();
  });
}

TEST(Pains, Pain06_MemoryThatADeadProcessHeldGoesBack) {
  with_new_heap("256M", [] {
    ensure();
    const HoldId record = allocate(kRecordBytes, root());
    EXPECT_EQ(join(fork_child([&] {
                set_self(target(record));
                for (int i = 0; i < 3; ++i)
                  static_cast<void>(Block(50 * kMebi).release());
                ::raise(SIGKILL);
              })),
              -SIGKILL);
    EXPECT_GE(used(), 150 * kMebi);
    drop(record);
    EXPECT_LT(used(), 70 * kMebi);
    EXPECT_EQ(audit().blocks, 1U);
  });
}

TEST_P(MemoryReturn, BlocksOfNobodyAreReturnedAtOnce) {
  with_new_heap("256M", [region = GetParam()] {
    ensure();
    set_self(0);
    drop(allocate(100 * kMebi, root(), false, region));
    EXPECT_LT(used(), 2 * kMebi);
    audit();
  });
}

TEST_P(MemoryReturn, PiecesOfReturnedBlocksAreBackedAgain) {
  with_new_heap("64M", [region = GetParam()] {
    ensure();
    {
      const Block block(50 * kMebi, false, region);
    }
    EXPECT_LT(used(), 2 * kMebi);
    for (const std::size_t bytes :
         std::initializer_list<std::size_t>{100, 5'000, 700'000, 3'000'000}) {
      std::vector<Block> blocks;
      try {
        for (int i = 0; i < 100'000; ++i) {
          blocks.emplace_back(bytes, false, region);
          std::memset(blocks.back().data(), 0xEE, blocks.back().size());
        }
      } catch (const OutOfMemory&) {
      }
      audit();
    }
    const std::uint64_t in_use = audit().in_use;
    EXPECT_LT(in_use, 1000U);
  });
}

TEST_P(MemoryReturn, TooLargeForTheMachineIsAnException) {
  with_new_heap("8T", [region = GetParam()] {
    ensure();
    const std::uint64_t reserve = audit().reserve;
    const std::uint64_t wanted = platform::physical_memory() * 2;
    if (reserve < wanted + kMebi) GTEST_SKIP() << "no address space for the test";
    EXPECT_THROW(Block(static_cast<std::size_t>(wanted), false, region), OutOfMemory);
    EXPECT_LT(used(), 2 * kMebi);
    EXPECT_EQ(audit().blocks, 1U);
  });
}

}  // namespace
}  // namespace procession::heap
