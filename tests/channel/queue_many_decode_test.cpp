// get_many of items of which some cannot be decoded: each has what get would have given, or thrown.

#include <stdexcept>
#include <string>
#include <vector>

#include "channel/support.hpp"
#include "procession/queue.hpp"

namespace channel_test {
namespace {

namespace mp = procession;

/// One that is negative cannot be decoded.
struct Picky {
  int number = 0;
  std::string text;

  friend void encode(mp::Encoder& encoder, const Picky& picky) {
    mp::encode(encoder, picky.number);
    mp::encode(encoder, picky.text);
  }
  friend void decode(mp::Decoder& decoder, Picky& picky) {
    picky.number = mp::decode<int>(decoder);
    picky.text = mp::decode<std::string>(decoder);
    if (picky.number < 0) throw std::out_of_range(std::to_string(picky.number));
  }
};
using PickyQueue = mp::Queue<Picky>;

/// What is in the queue, by calls of `get_many`: numbers, and those of exceptions.
std::vector<int> all_of(const PickyQueue& queue, std::size_t most) {
  std::vector<int> found;
  for (;;) {
    try {
      for (const Picky& one : queue.get_many(most, mp::Duration::zero()))
        found.push_back(one.number);
    } catch (const std::out_of_range& error) {
      found.push_back(std::stoi(error.what()));
    } catch (const mp::Empty&) {
      return found;
    }
  }
}

PickyQueue queue_of(const std::vector<int>& numbers) {
  PickyQueue queue;
  for (const int number : numbers) {
    // Small ones lie in the ring, large ones in blocks.
    queue.put({number, std::string(number % 2 == 0 ? 10 : 10'000, 'x')});
  }
  return queue;
}

TEST(GetManyDecode, LosesOnlyWhatCannotBeDecoded) {
  EXPECT_EQ(all_of(queue_of({1, 2, -3, 4, 5}), 100), (std::vector<int>{1, 2, 4, 5, -3}));
  EXPECT_EQ(all_of(queue_of({-1, 2, -3, -4, 5}), 100), (std::vector<int>{2, 5, -1, -3, -4}));
  EXPECT_EQ(all_of(queue_of({-1, 2, 3}), 1), (std::vector<int>{-1, 2, 3}));
  EXPECT_EQ(all_of(queue_of({1, -2, 3, -4, 5, 6}), 2), (std::vector<int>{1, -2, 3, -4, 5, 6}));
}

TEST(GetManyDecode, ThrowsAtOnceWhereThereIsNothingElse) {
  const PickyQueue queue = queue_of({-1, -2});
  EXPECT_THROW(queue.get_many(2), std::out_of_range);
  EXPECT_TRUE(queue.empty());
  EXPECT_THROW(queue.get_many(2, mp::Duration::zero()), std::out_of_range);
  EXPECT_THROW(queue.get_many(2, mp::Duration::zero()), mp::Empty);
}

TEST(GetManyDecode, OtherCallsThrowWhatIsOwedToo) {
  for (int i = 0; i < 3; ++i) {
    const PickyQueue queue = queue_of({-1, 2, 3});
    ASSERT_EQ(queue.get_many(2).size(), 1U);
    const PickyQueue other = queue_of({7});
    EXPECT_EQ(other.get().number, 7) << "nothing is owed from another queue";
    const PickyQueue copy = queue;
    if (i == 0) {
      EXPECT_THROW((void)copy.get(), std::out_of_range);
    }
    if (i == 1) {
      EXPECT_THROW((void)copy.try_get(), std::out_of_range);
    }
    if (i == 2) {
      EXPECT_THROW((void)copy.get_many(5), std::out_of_range);
    }
    EXPECT_EQ(queue.get().number, 3);
  }
}

TEST(GetManyDecode, WhatIsOwedIsNotOwedByTheNextQueueInItsPlace) {
  {
    const PickyQueue queue = queue_of({-1, 2});
    ASSERT_EQ(queue.get_many(2).size(), 1U);
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(all_of(queue_of({8}), 4), std::vector<int>{8});
  }
}

}  // namespace
}  // namespace channel_test
