// get_many: small items, which lie in the ring, and large ones and those that name shared objects,
// which lie in blocks, come with one call.

#include <signal.h>

#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "channel/support.hpp"
#include "procession/event.hpp"
#include "procession/queue.hpp"
#include "support/kill_step.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

struct Mixed {
  std::string text;
  std::vector<mp::Event> events;
};
using MixedQueue = mp::JoinableQueue<Mixed>;

const std::vector<std::string>& names() {
  static const std::vector<std::string> all{"small", "large", "event", "event", "small",
                                            "small", "large", "large", "small"};
  return all;
}

/// Each can be told from the others.
Mixed mixed(std::size_t i) {
  const std::string& name = names().at(i);
  Mixed made{name + std::to_string(i), {}};
  if (name == "large") made.text.resize(3'000 + 1'000 * i, '.');
  if (name == "event") made.events.resize(1);
  return made;
}

void put_all(const MixedQueue& queue) {
  std::vector<Mixed> items;
  for (std::size_t i = 0; i < names().size(); ++i)
    items.push_back(mixed(i));
  queue.put_many(items);
}

void expect_from(std::size_t begin, const std::vector<Mixed>& items) {
  ASSERT_LE(begin + items.size(), names().size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ(items[i].text, mixed(begin + i).text);
    ASSERT_EQ(items[i].events.size(), names()[begin + i] == "event" ? 1 : 0);
    if (!items[i].events.empty()) items[i].events[0].set();
  }
}

TEST(GetMany, TakesWhatIsThere) {
  settle_in();
  const auto before = mp::heap::audit();
  {
    const MixedQueue queue;
    put_all(queue);
    const std::vector<Mixed> items = queue.get_many(100);
    EXPECT_EQ(items.size(), names().size());
    expect_from(0, items);
    EXPECT_TRUE(queue.empty());
    for (std::size_t i = 0; i < items.size(); ++i) {
      EXPECT_FALSE(queue.join(0s));
      queue.task_done();
    }
    EXPECT_TRUE(queue.join(0s));
  }
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
  EXPECT_EQ(mp::heap::audit().holds, before.holds);
}

TEST(GetMany, TakesNoMoreThanItWasAskedFor) {
  for (std::size_t most = 1; most <= names().size(); ++most) {
    const MixedQueue queue;
    put_all(queue);
    for (std::size_t got = 0; got < names().size();) {
      const std::vector<Mixed> items = queue.get_many(most);
      EXPECT_EQ(items.size(), std::min(most, names().size() - got));
      expect_from(got, items);
      got += items.size();
      EXPECT_EQ(queue.size(), names().size() - got);
    }
  }
}

TEST(GetMany, TakesAsManyAsThereAre) {
  const mp::Queue<std::uint64_t> queue;
  std::vector<std::uint64_t> numbers(100'000);
  std::iota(numbers.begin(), numbers.end(), 0);
  queue.put_many(numbers);
  EXPECT_TRUE(queue.get_many(200'000) == numbers);
}

TEST(GetMany, WaitsForTheFirstOnly) {
  const MixedQueue queue;
  EXPECT_THROW(static_cast<void>(queue.get_many(5, 0s)), mp::Empty);
  EXPECT_THROW(static_cast<void>(queue.get_many(5, 1ms)), mp::Empty);
  queue.put(mixed(1));
  queue.put(mixed(2));
  const std::vector<Mixed> items = queue.get_many(5);
  EXPECT_EQ(items.size(), 2);
  expect_from(1, items);
  std::thread producer([&] { queue.put(mixed(6)); });
  EXPECT_EQ(queue.get_many(5).at(0).text, mixed(6).text);
  producer.join();
  put_all(queue);
  queue.shutdown();
  EXPECT_EQ(queue.get_many(5, 0s).size(), 5);
  EXPECT_EQ(queue.get_many(5).size(), 4);
  EXPECT_THROW(static_cast<void>(queue.get_many(5)), mp::ShutDown);
}

TEST(GetMany, MakesRoomForAllThatItTook) {
  const MixedQueue queue(names().size());
  put_all(queue);
  std::vector<std::thread> producers;
  for (std::size_t i = 0; i < names().size(); ++i)
    producers.emplace_back([&, i] { queue.put(mixed(i)); });
  std::size_t got = queue.get_many(names().size()).size();
  EXPECT_EQ(got, names().size());
  for (std::thread& producer : producers)
    producer.join();
  EXPECT_EQ(queue.get_many(100).size(), names().size());
}

/// Large, and none of another build's.
struct Unreadable {
  friend void encode(mp::Encoder& encoder, const Unreadable& /*item*/) {
    mp::encode(encoder, std::string(5'000, 'u'));
  }
  friend void decode(mp::Decoder& /*decoder*/, Unreadable& /*item*/) {
    throw mp::DecodeError("none of these can be read");
  }
};

TEST(GetMany, GivesBackWhatCannotBeDecoded) {
  settle_in();
  const auto before = mp::heap::audit();
  {
    const mp::Queue<Unreadable> queue;
    queue.put_many({Unreadable(), Unreadable(), Unreadable()});
    EXPECT_THROW(static_cast<void>(queue.get_many(2)), mp::DecodeError);
    EXPECT_EQ(queue.size(), 1);
    EXPECT_EQ(mp::heap::audit().blocks, before.blocks + 3);  // queue, ring, and one item
  }
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
}

#ifndef NDEBUG

constexpr std::size_t kAskedFor = 6;

TEST(GetMany, KilledAtEachStepLosesWhatItMovedItself) {
  settle_in();
  const auto before = mp::heap::audit();
  std::size_t step = 1;
  for (bool killed = true; killed && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    {
      const MixedQueue queue(names().size());
      put_all(queue);
      const std::optional<int> code = process_test::exitcode_of(
          mp::StartMethod::forkserver,
          [](const MixedQueue& items, std::size_t last) {
            kill_step::arm(last);
            static_cast<void>(items.get_many(kAskedFor));
            kill_step::disarm();
          },
          queue, step);
      killed = code == -SIGKILL;
      EXPECT_TRUE(killed || code == 0) << code.value_or(-1);
      const std::size_t left = queue.size();
      const std::size_t gone = names().size() - left;
      EXPECT_LE(gone, kAskedFor);
      EXPECT_TRUE(killed || gone == kAskedFor);
      for (std::size_t i = 0; i < gone; ++i)
        EXPECT_TRUE(queue.try_put(mixed(i)));
      EXPECT_TRUE(queue.full());
      if (left != 0) expect_from(gone, queue.get_many(left));
      if (gone != 0) expect_from(0, queue.get_many(gone));
      EXPECT_TRUE(queue.empty());
    }
    EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
    EXPECT_EQ(mp::heap::audit().holds, before.holds);
  }
  std::printf("%zu steps\n", step);
}

#endif

}  // namespace
}  // namespace channel_test
