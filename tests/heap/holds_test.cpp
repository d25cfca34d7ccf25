#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "heap/block_encoder.hpp"
#include "procession/error.hpp"
#include "support.hpp"

namespace procession::heap {
namespace {

class Holds : public ::testing::Test {
 protected:
  void SetUp() override {
    ensure();
    before_ = audit();
  }
  void TearDown() override { expect_same_use(audit(), before_); }

  Audit before_;
};

TEST_F(Holds, ABlockLivesAsLongAsItsLastHold) {
  const HoldId first = allocate(100, self());
  const Offset block = target(first);
  const HoldId second = hold(block, root());
  const HoldId third = hold(block, self());
  EXPECT_EQ(target(second), block);
  EXPECT_EQ(owner(second), root());
  drop(first);
  EXPECT_EQ(audit().holds, before_.holds + 2);
  EXPECT_EQ(hold(block, self()), first) << "the room in the block is used first";
  drop(third);
  drop(first);
  EXPECT_EQ(audit().blocks, before_.blocks + 1);
  drop(second);
  drop(0);
}

TEST_F(Holds, AMessageDropsTheHandlesInside) {
  const HoldId queue = allocate(100, self());
  Block message(100);
  const HoldId inside = hold(target(queue), message.offset());
  EXPECT_EQ(owner(inside), message.offset());
  drop(queue);
  EXPECT_EQ(audit().blocks, before_.blocks + 2);
}

TEST_F(Holds, MovesKeepTheHoldId) {
  const HoldId queue = allocate(100, self(), true);
  auto* word = at<std::uint64_t>(target(queue));
  const HoldId message = allocate(100, self());
  move(message, target(queue), word, message);
  EXPECT_EQ(owner(message), target(queue));
  EXPECT_EQ(*word, message);
  EXPECT_FALSE(move_if(message, self(), word, 5, 0));
  EXPECT_EQ(owner(message), target(queue));
  EXPECT_TRUE(move_if(message, self(), word, message, 0));
  EXPECT_EQ(owner(message), self());
  EXPECT_EQ(*word, 0U);
  move(message, target(queue));
  drop(queue);
}

TEST_F(Holds, LongChainsAndWideTreesAreGivenBack) {
  const HoldId top = allocate(64, self());
  Offset last = target(top);
  for (int i = 0; i < 10'000; ++i)
    last = target(allocate(64, last));
  for (int i = 0; i < 10'000; ++i) {
    static_cast<void>(hold(target(allocate(64, target(top))), target(top)));
  }
  EXPECT_EQ(audit().blocks, before_.blocks + 20'001);
  drop(top);
}

TEST_F(Holds, ARecordGivesBackAllThatItsProcessHeld) {
  const HoldId record = allocate(kRecordBytes, root(), true);
  const HoldId shared = allocate(1000, self());
  EXPECT_EQ(join(fork_child([&] {
              set_self(target(record));
              const Offset kept = target(shared);
              for (int i = 0; i < 100; ++i) {
                const Block given(100);
                static_cast<void>(Block(5000).release());
                static_cast<void>(hold(kept, self()));
                static_cast<void>(hold(kept, target(allocate(64, self()))));
              }
              static_cast<void>(Block(50 * kMebi).release());
            })),
            0);
  EXPECT_EQ(audit().blocks, before_.blocks + 2 + 100 + 100 + 1);
  drop(record);
  EXPECT_EQ(audit().blocks, before_.blocks + 1);
  drop(shared);
}

TEST_F(Holds, OfWhatIsNoBlockAreRefused) {
  const HoldId hold_id = allocate(64, self());
  const Offset block = target(hold_id);
  EXPECT_THROW(static_cast<void>(hold(block + 64, self())), ProcessError);
  EXPECT_THROW(static_cast<void>(hold(block + 8, self())), ProcessError);
  EXPECT_THROW(static_cast<void>(hold(0, self())), ProcessError);
  EXPECT_THROW(static_cast<void>(hold(~Offset{63}, self())), ProcessError);
  EXPECT_THROW(static_cast<void>(hold(block, 64)), ProcessError);
  EXPECT_THROW(static_cast<void>(allocate(64, 0)), ProcessError);
  EXPECT_THROW(move(hold_id, 3), ProcessError);
  EXPECT_EQ(owner(hold_id), self());
  drop(hold_id);
  EXPECT_THROW(static_cast<void>(hold(block, self())), ProcessError);
}

TEST_F(Holds, DroppingTwiceEndsTheProgram) {
  const HoldId hold_id = allocate(64, self());
  drop(hold_id);
  EXPECT_DEATH(drop(hold_id), "dropped before");
  EXPECT_DEATH(drop(77), "no such hold");
  audit();
}

TEST_F(Holds, BlocksAreMoved) {
  Block first(100);
  const Offset place = first.offset();
  Block second = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_EQ(first.data(), nullptr);
  EXPECT_EQ(first.size(), 0U);
  EXPECT_EQ(second.offset(), place);
  first = std::move(second);
  EXPECT_EQ(first.offset(), place);
  const HoldId hold_id = first.release();
  EXPECT_FALSE(first);
  first = Block::own(hold_id);
  EXPECT_EQ(first.offset(), place);
}

TEST_F(Holds, AnEncoderWritesIntoABlock) {
  for (const std::size_t expected : std::initializer_list<std::size_t>{0, 10, 100'000}) {
    BlockEncoder encoder(expected);
    std::string written;
    for (int i = 0; i < 5000; ++i) {
      const std::string part = std::to_string(i);
      encoder.write(part.data(), part.size());
      written += part;
    }
    ASSERT_EQ(encoder.size(), written.size());
    const Block block = expected == 10 ? encoder.take_for_keeps() : encoder.take();
    EXPECT_TRUE(is_in(block.offset(), expected == 10 ? Region::library : Region::users));
    EXPECT_EQ(std::memcmp(block.data(), written.data(), written.size()), 0);
    EXPECT_EQ(encoder.size(), 0U);
    encoder.write("again", 5);
    EXPECT_EQ(encoder.size(), 5U);
  }
  BlockEncoder empty;
  EXPECT_GE(empty.take().size(), 1U);
}

}  // namespace
}  // namespace procession::heap
