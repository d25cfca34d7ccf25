// Blocks that hold each other in a circle.

#include "heap/circles.hpp"

#include <algorithm>
#include <functional>

#include "support.hpp"

namespace procession::heap {
namespace {

class Circles : public ::testing::Test {
 protected:
  void SetUp() override {
    ensure();
    reclaim();
    before_ = audit();
  }
  void TearDown() override {
    EXPECT_FALSE(reclaim()) << "there is nothing left";
    expect_same_use(audit(), before_);
  }

  Audit before_;
};

/// `count` blocks, each of which holds the next, and the last one the first. The first is held by
/// this process besides.
HoldId make_circle(int count, std::size_t bytes = 100, Region region = Region::library) {
  const HoldId first = allocate(bytes, self(), false, region);
  Offset last = target(first);
  for (int i = 1; i < count; ++i)
    last = target(allocate(bytes, last, false, region));
  static_cast<void>(hold(target(first), last));
  return first;
}

TEST_F(Circles, AreGivenBackWhenNobodyHasThem) {
  for (const int count : {1, 2, 3, 1'000}) {
    drop(make_circle(count));
    EXPECT_EQ(audit().blocks, before_.blocks + static_cast<std::uint64_t>(count));
    EXPECT_TRUE(reclaim());
    expect_same_use(audit(), before_);
  }
}

TEST_F(Circles, AreKeptAsLongAsSomebodyHasThem) {
  const HoldId circle = make_circle(3);
  Block other(64);
  const HoldId also = hold(target(circle), other.offset());
  EXPECT_FALSE(reclaim());
  drop(circle);
  EXPECT_FALSE(reclaim()) << "another block holds it, which this process has";
  EXPECT_EQ(audit().blocks, before_.blocks + 4);
  EXPECT_EQ(owner(also), other.offset());
  other = Block();
  EXPECT_TRUE(reclaim());
}

TEST_F(Circles, TakeWithThemWhatTheyHoldAndLeaveWhatOthersHave) {
  Block kept(100);
  const HoldId circle = make_circle(2);
  const Offset inside = target(allocate(100, target(circle)));
  static_cast<void>(allocate(100, inside, false, Region::users));
  static_cast<void>(hold(kept.offset(), inside));
  drop(make_circle(5));
  const HoldId held = make_circle(4);
  static_cast<void>(hold(target(held), inside));
  drop(circle);
  EXPECT_TRUE(reclaim());
  EXPECT_EQ(audit().blocks, before_.blocks + 1 + 4);
  EXPECT_EQ(holds_on(kept.offset()), 1U);
  drop(held);
  EXPECT_TRUE(reclaim());
}

TEST_F(Circles, OfLargeBlocksGiveTheirMemoryBack) {
  for (const Region region : {Region::library, Region::users}) {
    const std::uint64_t before = audit().in_use;
    drop(make_circle(3, 8 * kMebi, region));
    EXPECT_GE(audit().in_use, before + 24 * kMebi);
    EXPECT_TRUE(reclaim());
    EXPECT_EQ(audit().in_use, before);
  }
}

TEST_F(Circles, AreLookedForNowAndThenWhereMessagesHoldBlocks) {
  reclaim();
  std::uint64_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    const HoldId circle = make_circle(2);
    note_link();
    drop(circle);
    if (i % 100 == 0) most = std::max(most, audit().blocks);
  }
  // Eight for each block that others have, and 64.
  EXPECT_LT(most, before_.blocks + 2 * (8 * before_.blocks + 64) + 1'000);
  reclaim();
}

TEST(CirclesOfAll, AreLookedForWhenTheHeapGrows) {
  with_new_heap("16G", [] {
    ensure();
    reclaim();
    for (int i = 0; i < 100; ++i) {
      const HoldId circle = make_circle(1, 8 * kMebi);
      note_link();
      drop(circle);
      ASSERT_LT(audit().in_use, 300 * kMebi) << i;
    }
  });
}

TEST(CirclesOfAll, AreGivenBackBeforeMemoryIsSaidToBeOut) {
  with_new_heap("16M", [] {
    ensure();
    for (int i = 0; i < 100; ++i)
      drop(make_circle(2, kMebi));
    for (int i = 0; i < 60'000; ++i)
      drop(make_circle(2, 64));
    const Block all(12 * kMebi);
  });
}

#ifndef NDEBUG

std::uint64_t steps_left_in_circles = 0;

bool is_killed_at(std::uint64_t step, HoldId record, const std::function<void()>& script) {
  return join(fork_child([&] {
           set_self(target(record));
           steps_left_in_circles = step;
           testing::on_step.store([] {
             if (--steps_left_in_circles == 0) ::raise(SIGKILL);
           });
           script();
           testing::on_step.store(nullptr);
         })) == -SIGKILL;
}

TEST(CirclesKill, AtAnyStepOfTheirEndLeavesNothingThatTheNextDoesNotEnd) {
  with_new_heap("16M", [] {
    ensure();
    reclaim();
    const Audit before = audit();
    const auto script = [] {
      const HoldId circle = make_circle(3);
      static_cast<void>(allocate(2 * kMebi, target(circle), false, Region::users));
      static_cast<void>(hold(target(circle), target(circle)));
      static_cast<void>(hold(root(), target(circle)));
      drop(circle);
      reclaim();
    };
    std::uint64_t step = 1;
    for (bool killed = true; killed && !HasFailure(); step += kSanitized ? 7 : 1) {
      const HoldId record = allocate(kRecordBytes, root(), true);
      killed = is_killed_at(step, record, script);
      audit();
      drop(record);
      reclaim();
      expect_same_use(audit(), before);
    }
    EXPECT_GT(step, 100U);
  });
}

#endif

}  // namespace
}  // namespace procession::heap
