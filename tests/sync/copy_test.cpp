// Functions of the user's that the members of shared objects call, and that come back twice: the
// copy ends where it comes out, and has touched nothing.

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "heap/heap.hpp"
#include "procession/condition.hpp"
#include "procession/queue.hpp"
#include "procession/value.hpp"
#include "support/copies.hpp"

namespace procession {
namespace {

using copies::copy_process;
using copies::How;
using copies::kCopyExit;
using namespace std::chrono_literals;

/// How the copy leaves what made it.
enum class Leaves { returns, throws };

How how{};
Leaves leaves{};
int status = 0;  ///< of the last copy

/// In the copy returns or throws.
void make_copy() {
  const int ended = copy_process(how);
  if (ended == 0) {
    if (leaves == Leaves::throws) throw std::runtime_error("in the copy");
    return;
  }
  status = ended;
}

class CopyInside : public testing::TestWithParam<std::tuple<How, Leaves>> {
 protected:
  CopyInside() {
    std::tie(how, leaves) = GetParam();
    status = -1;
  }
  ~CopyInside() override { EXPECT_EQ(status, kCopyExit); }
};

INSTANTIATE_TEST_SUITE_P(By, CopyInside,
                         testing::Combine(testing::Values(How::by_fork, How::by_clone),
                                          testing::Values(Leaves::returns, Leaves::throws)));

/// Nobody else has it, nor what it was before.
void expect_free(const RLock& lock) {
  ASSERT_TRUE(lock.try_lock_for(0s));
  EXPECT_FALSE(lock.owner_died());
  lock.unlock();
}

TEST_P(CopyInside, AFunctionThatUpdatesAValue) {
  const Value<int> value(1);
  EXPECT_EQ(value.update([](int old) {
    make_copy();
    return old + 1;
  }),
            2);
  EXPECT_EQ(value.update([](int& it) {
    make_copy();
    it *= 10;
  }),
            20);
  EXPECT_EQ(value.value(), 20);
  expect_free(value.get_lock());
}

struct Forking {
  int number = 0;
  friend Forking operator+(const Forking& a, const Forking& b) {
    make_copy();
    return {a.number + b.number};
  }
};

TEST_P(CopyInside, AnOperatorOfAValuesType) {
  const Value<Forking> value(Forking{1});
  EXPECT_EQ((value += Forking{2}).number, 3);
  EXPECT_EQ(value.value().number, 3);
  expect_free(value.get_lock());
}

TEST_P(CopyInside, ThePredicateOfACondition) {
  const Condition changed;
  {
    const std::scoped_lock guard(changed);
    int looks = 0;
    EXPECT_TRUE(changed.wait(
        [&] {
          make_copy();
          return ++looks == 2;
        },
        1ms));
  }
  ASSERT_TRUE(changed.try_lock());
  EXPECT_FALSE(changed.owner_died());
  changed.unlock();
}

/// Encoded and decoded by functions of its own, of which one makes a copy.
struct Hooked {
  std::string text;
  bool encodes = false;
  bool decodes = false;

  friend void encode(Encoder& encoder, const Hooked& value) {
    procession::encode(encoder, value.text);
    procession::encode(encoder, value.decodes);
    if (value.encodes) make_copy();
  }
  friend void decode(Decoder& decoder, Hooked& value) {
    procession::decode(decoder, value.text);
    procession::decode(decoder, value.decodes);
    if (value.decodes) make_copy();
  }
};

TEST_P(CopyInside, TheEncodingOfAnItem) {
  for (const std::size_t size : {10, 10'000}) {
    const Queue<Hooked> queue;
    queue.put({std::string(size, 'x'), true, false});
    EXPECT_EQ(queue.size(), 1U);
    EXPECT_EQ(queue.get().text, std::string(size, 'x'));
    EXPECT_TRUE(queue.empty());
    EXPECT_NO_THROW(static_cast<void>(heap::audit()));
  }
}

TEST_P(CopyInside, TheDecodingOfAnItem) {
  for (const std::size_t size : {10, 10'000}) {
    const Queue<Hooked> queue;
    queue.put({std::string(size, 'x'), false, true});
    queue.put({"next", false, false});
    EXPECT_EQ(queue.get().text, std::string(size, 'x'));
    EXPECT_EQ(queue.get().text, "next");
    EXPECT_NO_THROW(static_cast<void>(heap::audit()));
  }
}

TEST_P(CopyInside, ARangeOfItems) {
  const Queue<int> queue;
  const std::vector<int> numbers{1, 2, 3};
  queue.put_many(numbers | std::views::transform([](int number) {
                   if (number == 2) make_copy();
                   return number;
                 }));
  EXPECT_EQ(queue.get_many(10), numbers);
}

/// A child that the program forks has a copy of what its parent holds on its way, and gives back
/// nothing of it.
TEST(CopyOutside, LeavesWhatItsParentHolds) {
  const Queue<std::string> queue;  // the heap is there, and a fork has a record
  heap::Block block(1000);
  const heap::Offset place = block.offset();
  if (::fork() == 0) {
    block = heap::Block();
    ::_exit(0);
  }
  int ended = 0;
  ASSERT_GT(::wait(&ended), 0);
  EXPECT_EQ(ended, 0);
  EXPECT_EQ(heap::holds_on(place), 1U);
  EXPECT_NO_THROW(static_cast<void>(heap::audit()));
}

}  // namespace
}  // namespace procession
