// Producers and consumers of a queue that are killed at random moments.

#include <signal.h>

#include <map>
#include <random>

#include "procession/array.hpp"
#include "procession/queue.hpp"
#include "support.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using mp::Queue;

constexpr std::size_t kMost = 400'000;

struct Product {
  int producer = 0;
  std::uint32_t number = 0;
  std::string load;
};

std::string load_of(std::uint32_t number) {
  return std::string(number % 31 == 0 ? 3000 : number % 17, static_cast<char>('a' + number % 26));
}

void produce(const Queue<Product>& queue, const mp::Array<std::uint32_t>& begun, int id) {
  const auto index = static_cast<std::size_t>(id);
  while (begun[index] < kMost / 2) {
    const std::uint32_t number = begun[index]++;
    queue.put({id, number, load_of(number)});
  }
}

void consume(const Queue<Product>& queue, const mp::Array<std::uint8_t>& seen, bool many) {
  std::map<int, std::uint32_t> next;
  const auto take = [&](const Product& item) {
    if (item.load != load_of(item.number) || item.number < next[item.producer]) std::abort();
    next[item.producer] = item.number + 1;
    auto& place = seen[static_cast<std::size_t>(item.producer) * (kMost / 2) + item.number];
    std::atomic_ref<std::uint8_t>(place).fetch_add(1);
  };
  if (!many) {
    for (const Product& item : queue)
      take(item);
    return;
  }
  try {
    for (;;) {
      for (const Product& item : queue.get_many(4))
        take(item);
    }
  } catch (const mp::ShutDown&) {
  }
}

TEST(Pains, Pain03_AQueueOutlivesItsKilledProducersAndConsumersLong) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  settle_in();
  const auto before = mp::heap::audit();
  for (const std::size_t maxsize : {0U, 100U}) {
    const Queue<Product> queue(maxsize);
    const mp::Array<std::uint32_t> begun(2);
    const mp::Array<std::uint8_t> seen(kMost);
    std::vector<std::unique_ptr<mp::Process>> members(4);
    const auto start = [&](std::size_t i) {
      members[i] = i < 2 ? std::make_unique<mp::Process>(produce, queue, begun, static_cast<int>(i))
                         : std::make_unique<mp::Process>(consume, queue, seen, i == 3);
      members[i]->start();
    };
    for (std::size_t i = 0; i < 4; ++i)
      start(i);
    std::size_t may_be_lost = 0;
    for (int kill = 0; kill < 100; ++kill) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
      const std::size_t victim = random() % 4;
      members[victim]->kill();
      members[victim]->join();
      ASSERT_NE(members[victim]->exitcode(), -SIGABRT) << "out of order, or damaged";
      may_be_lost += victim == 3 ? 4 : 1;
      start(victim);
    }
    for (std::size_t i = 0; i < 2; ++i) {
      members[i]->kill();
      members[i]->join();
      ++may_be_lost;
    }
    queue.shutdown();
    for (std::size_t i = 2; i < 4; ++i) {
      members[i]->join();
      EXPECT_EQ(members[i]->exitcode(), 0);
    }
    EXPECT_TRUE(queue.empty());
    std::size_t lost = 0;
    for (std::size_t id = 0; id < 2; ++id) {
      for (std::uint32_t number = 0; number < begun[id]; ++number) {
        const auto times = seen[id * (kMost / 2) + number];
        ASSERT_LE(times, 1) << "item " << number << " of producer " << id;
        lost += times == 0 ? 1 : 0;
      }
    }
    EXPECT_LE(lost, may_be_lost);
    std::printf("%u items, %zu lost\n", begun[0] + begun[1], lost);
  }
  const auto after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.holds, before.holds);
}

}  // namespace
}  // namespace channel_test
