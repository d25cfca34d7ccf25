#include <cstring>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "heap/size_class.hpp"
#include "procession/error.hpp"
#include "support.hpp"

namespace procession::heap {
namespace {

TEST(SizeClass, EverySizeFitsItsClassAndLittleIsLost) {
  for (std::uint64_t units = 0; units < 100'000; ++units) {
    const std::uint64_t size = class_units(ceil_class(units));
    ASSERT_GE(size, units);
    ASSERT_LE(class_units(floor_class(units)), units);
    ASSERT_EQ(floor_class(size), ceil_class(units));
    if (units > 64) {
      ASSERT_LE(size * 4, units * 5) << units;
    }
  }
  for (std::size_t index = 1; index < kClasses; ++index) {
    ASSERT_EQ(floor_class(class_units(index)), index);
    ASSERT_LT(class_units(index - 1), class_units(index));
  }
}

TEST(Allocate, GivesAlignedMemoryThatDoesNotOverlap) {
  ensure();
  const Audit before = audit();
  std::vector<Block> blocks;
  std::set<Offset> places;
  for (std::size_t bytes = 0; bytes < 5000; bytes += 37) {
    Block block(bytes);
    EXPECT_GE(block.size(), bytes);
    EXPECT_EQ(block.offset() % 64, 0U);
    EXPECT_TRUE(contains(block.data()));
    EXPECT_EQ(offset_of(block.data()), block.offset());
    EXPECT_EQ(owner(block.hold_id()), self());
    std::memset(block.data(), 0xEE, block.size());
    EXPECT_TRUE(places.insert(block.offset()).second);
    blocks.push_back(std::move(block));
  }
  const Audit during = audit();  // also: nothing was written over
  EXPECT_EQ(during.blocks, before.blocks + blocks.size());
  blocks.clear();
  expect_same_use(audit(), before);
}

TEST(Allocate, TheSameBlockComesBack) {
  ensure();
  for (const std::size_t bytes :
       std::initializer_list<std::size_t>{1, 64, 100, 1000, 5000, 100'000, 3'000'000}) {
    const Offset first = Block(bytes).offset();
    EXPECT_EQ(Block(bytes).offset(), first) << bytes;
  }
}

TEST(Allocate, ZeroedMeansZeroed) {
  ensure();
  for (const std::size_t bytes :
       std::initializer_list<std::size_t>{1, 64, 1000, 5000, 100'000, 3'000'000}) {
    for (int round = 0; round < 3; ++round) {
      Block block(bytes, true);
      for (std::size_t i = 0; i < bytes; ++i)
        ASSERT_EQ(block.data()[i], std::byte{0}) << bytes;
      std::memset(block.data(), 0xEE, block.size());
    }
  }
}

TEST(Allocate, NothingIsContainedOutside) {
  int local = 0;
  EXPECT_FALSE(contains(&local));
  EXPECT_FALSE(contains(nullptr));
  EXPECT_EQ(at(0), nullptr);
  EXPECT_EQ(offset_of(nullptr), 0U);
}

TEST(Exhaustion, IsAnExceptionThatSaysWhatToDo) {
  with_new_heap("1M", [] {
    std::vector<Block> blocks;
    std::string text;
    try {
      for (;;)
        blocks.emplace_back(10'000);
    } catch (const OutOfMemory& error) {
      text = error.what();
    }
    EXPECT_GT(blocks.size(), 70U);
    EXPECT_NE(text.find("10000 bytes"), std::string::npos) << text;
    EXPECT_NE(text.find("1048576"), std::string::npos) << text;
    EXPECT_NE(text.find("PROCESSION_HEAP"), std::string::npos) << text;
    EXPECT_EQ(audit().blocks, blocks.size() + 1);
    blocks.pop_back();
    EXPECT_NO_THROW(blocks.emplace_back(10'000));
    EXPECT_THROW(Block(2 * kMebi), OutOfMemory);
    EXPECT_THROW(Block(SIZE_MAX), OutOfMemory);
    EXPECT_THROW(Block(SIZE_MAX - 63), OutOfMemory);
  });
}

class ExhaustionOfARegion : public ::testing::TestWithParam<Region> {};

INSTANTIATE_TEST_SUITE_P(Of, ExhaustionOfARegion, kBothRegions, &region_name);

TEST_P(ExhaustionOfARegion, JoinsFreeNeighboursAndCutsLargerOnes) {
  with_new_heap("4M", [region = GetParam()] {
    ensure();
    const Audit before = audit();
    for (int round = 0; round < 3; ++round) {
      for (const std::size_t bytes :
           std::initializer_list<std::size_t>{100, 3'000, 70'000, 1'200'000, 500, 300'000}) {
        std::vector<Block> blocks;
        try {
          for (;;)
            blocks.emplace_back(bytes, false, region);
        } catch (const OutOfMemory&) {
        }
        // Four fifths of the reserve at least went to such blocks, whatever was there before.
        const std::uint64_t unit = region == Region::users ? 256 : 64;
        const std::uint64_t header = region == Region::users ? 0 : 64;
        const std::uint64_t each =
            class_units(ceil_class((bytes + unit - 1) / unit)) * unit + header;
        EXPECT_GE((blocks.size() + (bytes > kMebi ? 1 : 0)) * each, 4 * kMebi * 4 / 5) << bytes;
        for (const Block& block : blocks)
          std::memset(block.data(), 0xEE, block.size());
        audit();
      }
      expect_same_use(audit(), before);
    }
    const Block all(3 * kMebi, false, region);
    std::memset(all.data(), 1, all.size());
  });
}

TEST(Exhaustion, OfHoldsToo) {
  with_new_heap("256K", [] {
    const Block block(64);
    std::vector<HoldId> hold_ids;
    try {
      for (;;)
        hold_ids.push_back(hold(block.offset(), self()));
    } catch (const OutOfMemory&) {
    }
    EXPECT_GT(hold_ids.size(), 3000U);
    EXPECT_EQ(audit().holds, hold_ids.size() + 2);
    for (const HoldId hold_id : hold_ids)
      drop(hold_id);
    EXPECT_EQ(audit().holds, 2U);
    EXPECT_NO_THROW(Block(200'000));  // made of what were records
  });
}

}  // namespace
}  // namespace procession::heap
