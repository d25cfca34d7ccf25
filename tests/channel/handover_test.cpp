// Large items of queues, which producers hand over to consumers that wait for them.

#include <string>
#include <thread>
#include <type_traits>

#include "channel/handover.hpp"
#include "channel/handover_support.hpp"
#include "platform/cpu.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

/// Its size is no multiple of anything that bytes are copied by.
struct Corner {
  float x = 0;
  float y = 0;
  float z = 0;
  bool operator==(const Corner&) const = default;
};

template <class T>
T item_of(std::size_t bytes) {
  T item;
  item.resize(bytes / sizeof(typename T::value_type));
  for (std::size_t i = 0; i < item.size(); ++i) {
    if constexpr (std::is_same_v<T, std::vector<Corner>>) {
      item[i] = {static_cast<float>(i), 1, static_cast<float>(i + 1)};
    } else {
      item[i] = static_cast<typename T::value_type>(i * 0x9e3779b97f4a7c15 >> 60);
    }
  }
  return item;
}

template <class T>
void items_arrive(mp::StartMethod method) {
  const mp::Queue<T> queue;
  const mp::Queue<int> answers;
  mp::Process process = process_test::started(
      method,
      [](const mp::Queue<T>& out, const mp::Queue<int>& in) {
        for (int round = 0; round < 2; ++round) {
          for (const std::size_t size : sizes()) {
            const T item = item_of<T>(size);
            if (round == 0) {
              in.get();
              std::this_thread::sleep_for(2ms);  // it waits for the item by then
            }
            out.put(item);
            out.put(item_of<T>(100));  // what comes behind is not taken for it
            if (round == 1) in.get();
          }
        }
      },
      queue, answers);
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t size : sizes()) {
      const T expected = item_of<T>(size);
      if (round == 0) answers.put(0);
      // The second time all is in the queue by then.
      while (round == 1 && queue.size() != 2)
        std::this_thread::sleep_for(1ms);
      ASSERT_TRUE(queue.get() == expected) << size;
      ASSERT_TRUE(queue.get_many(1).at(0) == item_of<T>(100));
      if (round == 1) answers.put(0);
    }
  }
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

class HandedOver : public process_test::EachMethod {};
PROCESSION_BY_ALL_METHODS(HandedOver);

TEST_P(HandedOver, ItemsArriveWhoeverComesFirst) {
  items_arrive<Bytes>(GetParam());
  items_arrive<std::string>(GetParam());
  items_arrive<std::vector<double>>(GetParam());
  items_arrive<std::vector<Corner>>(GetParam());
}

void produce_large(const ByteQueue& queue, std::size_t id, bool many) {
  for (std::size_t i = 0; i < kEach; ++i) {
    if (many) {
      queue.put_many({Bytes(1, numbered(id, i)[0]), numbered(id, i)});
    } else {
      queue.put(Bytes(1, numbered(id, i)[0]));
      if (!queue.try_put(numbered(id, i))) queue.put(numbered(id, i));
    }
  }
}

TEST_P(HandedOver, EachOnceAndInTheOrderOfItsProducer) {
  for (const std::size_t maxsize : {0U, 1U}) {
    const ByteQueue queue(maxsize);
    const mp::Array<std::uint8_t> received(400);
    std::vector<mp::Process> consumers;
    std::vector<mp::Process> producers;
    for (std::size_t i = 0; i < kProducers; ++i) {
      producers.push_back(process_test::started(GetParam(), produce_large, queue, i, i == 0));
      consumers.push_back(process_test::started(GetParam(), consume_large, queue, received));
    }
    for (mp::Process& producer : producers)
      producer.join();
    queue.shutdown();
    for (mp::Process& consumer : consumers) {
      consumer.join();
      EXPECT_EQ(consumer.exitcode(), 0);
    }
    for (std::size_t id = 0; id < kProducers; ++id) {
      for (std::size_t i = 0; i < kEach; ++i) {
        EXPECT_EQ(received[id * 100 + i], 1) << i << " of producer " << id;
        EXPECT_EQ(received[200 + id * 100 + i], 1) << i << " of producer " << id;
      }
    }
  }
}

TEST_P(HandedOver, CountsForJoin) {
  const mp::JoinableQueue<Bytes> queue;
  mp::Process consumer = process_test::started(
      GetParam(),
      [](const mp::JoinableQueue<Bytes>& items) {
        for (std::size_t i = 0; i < kEach; ++i) {
          (void)items.get();
          items.task_done();
        }
      },
      queue);
  for (std::size_t i = 0; i < kEach; ++i) {
    queue.put(numbered(0, i));
    EXPECT_TRUE(i % 2 == 0 || queue.join());
  }
  EXPECT_TRUE(queue.join());
  consumer.join();
  EXPECT_EQ(consumer.exitcode(), 0);
  EXPECT_THROW(queue.task_done(), mp::ProcessError);
  queue.put(numbered(0, 0));
  EXPECT_FALSE(queue.join(1ms));
}

TEST(Handover, NeedsNoMemoryForTheItem) {
  if (mp::platform::usable_cpus() < 2) GTEST_SKIP() << "nothing is handed over on one processor";
  mp::heap::with_new_heap("32M", [] {
    constexpr std::size_t kItem = std::size_t{24} << 20;
    const ByteQueue queue;
    const auto taken = mp::heap::Block::for_users(std::size_t{16} << 20);
    const mp::heap::Audit before = mp::heap::audit();
    EXPECT_THROW(queue.put(Bytes(kItem)), mp::OutOfMemory) << "with nobody there";
    EXPECT_THROW(queue.put(Bytes(std::size_t{40} << 20)), mp::OutOfMemory);
    EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
    std::thread thread([&] { EXPECT_TRUE(queue.get() == noise(kItem, 7)); });
    const Bytes item = noise(kItem, 7);
    for (bool done = false; !done;) {
      try {
        queue.put(item);
        done = true;
      } catch (const mp::OutOfMemory&) {
        // The consumer was late.
      }
    }
    thread.join();
    EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
  });
}

/// What was offered last.
mp::channel::Offer last_offer(const ByteQueue& queue) {
  return mp::channel::offer_of(object_of(queue));
}

TEST(Handover, IsTriedRarelyWhereItFails) {
  if (mp::platform::usable_cpus() < 2) GTEST_SKIP() << "nothing is handed over on one processor";
  const ByteQueue queue(1);
  for (std::size_t i = 0; i < 100; ++i) {
    queue.put(numbered(0, i));
    EXPECT_TRUE(queue.try_get() == numbered(0, i));
  }
  const std::uint32_t offers = last_offer(queue).number();
  EXPECT_GE(offers, 1U);
  EXPECT_LE(offers, 10U);
  EXPECT_EQ(last_offer(queue).count(), 0U);
  std::thread consumer([&] {
    for (const Bytes& bytes : queue)
      EXPECT_EQ(bytes.size(), kItemSize);
  });
  // But it is tried again, for who waits.
  while (last_offer(queue).count() == 0) {
    std::this_thread::sleep_for(2ms);
    queue.put(numbered(0, 0));
  }
  queue.shutdown();
  consumer.join();
}

TEST(Handover, IsNotWaitedForWhereThereIsNoTime) {
  const ByteQueue queue;
  EXPECT_TRUE(queue.try_put(numbered(0, 1)));
  EXPECT_EQ(queue.size(), 1U);
  queue.put(numbered(0, 2), 1us);
  queue.put(numbered(0, 3));
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_TRUE(queue.try_get() == numbered(0, 1));
  EXPECT_TRUE(queue.get(1us) == numbered(0, 2));
  EXPECT_TRUE(queue.get_many(2).at(0) == numbered(0, 3));
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.try_get());
  queue.shutdown();
  EXPECT_THROW(queue.put(numbered(0, 4)), mp::ShutDown);
}

TEST(Handover, LosesNothingWhereTimeOutsPass) {
  const ByteQueue queue(1);
  std::thread thread([&] {
    for (std::size_t i = 0; i < kEach;) {
      try {
        queue.put(numbered(0, i), std::chrono::microseconds(100 * i));
        ++i;
      } catch (const mp::Full&) {
      }
    }
  });
  for (std::size_t i = 0; i < kEach;) {
    try {
      ASSERT_TRUE(queue.get(std::chrono::microseconds(1 + 40 * i)) == numbered(0, i));
      ++i;
    } catch (const mp::Empty&) {
    }
  }
  thread.join();
  EXPECT_TRUE(queue.empty());
}

TEST(Handover, EndsWithTheQueue) {
  const ByteQueue queue;
  mp::Process producer = process_test::started(
      mp::StartMethod::forkserver,
      [](const ByteQueue& out) {
        try {
          for (std::size_t i = 0;; ++i)
            out.put(numbered(0, i % 100));
        } catch (const mp::ShutDown&) {
        }
      },
      queue);
  for (std::size_t i = 0; i < kEach; ++i)
    EXPECT_TRUE(queue.get() == numbered(0, i));
  queue.shutdown();
  producer.join();
  EXPECT_EQ(producer.exitcode(), 0);
  std::size_t left = queue.size();
  for (std::size_t i = kEach; left > 0; ++i, --left)
    EXPECT_TRUE(queue.get() == numbered(0, i % 100));
  EXPECT_THROW((void)queue.get(), mp::ShutDown);
}

}  // namespace
}  // namespace channel_test
