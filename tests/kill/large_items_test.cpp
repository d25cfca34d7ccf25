// Producers and consumers of large items, which are handed over where both are awake, of whom one
// after another is killed at a random moment and replaced. Afterwards each item was received once,
// or was in the hands of a killed process; each consumer received those of one producer in order;
// and no block of the shared heap is left.
//
// PROCESSION_TORTURE_* as in mesh_test.cpp.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "heap/heap.hpp"
#include "procession/procession.hpp"
#include "support/setting.hpp"

namespace kill_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

using Load = std::vector<std::uint64_t>;

constexpr std::size_t kGivers = 3;
constexpr std::size_t kTakers = 3;
constexpr std::size_t kLoads = 10'000;                      // of one giver, at most
constexpr std::size_t kWords = (std::size_t{2} << 17) + 5;  // a little more than 2 MiB
constexpr std::size_t kAtOnce = 3;                          // what get_many takes at most

/// All words of it tell whose it is, and which.
Load load_of(std::size_t giver, std::size_t number) {
  return Load(kWords, giver * kLoads + number);
}

struct Traffic {
  mp::Queue<Load> queue;
  mp::Array<std::uint32_t> begun;    // by giver: items whose put has begun
  mp::Array<std::uint8_t> received;  // by giver and item: how often
};

void give(const Traffic& traffic, std::size_t id) {
  try {
    while (traffic.begun[id] < kLoads) {
      const std::uint32_t number = traffic.begun[id]++;
      // Short ones among them, which go through the ring.
      traffic.queue.put(number % 5 == 0 ? Load(1, id * kLoads + number) : load_of(id, number));
    }
  } catch (const mp::ShutDown&) {
    --traffic.begun[id];
  }
}

/// Aborts where an item is damaged or out of order.
void take(const Traffic& traffic, std::size_t id) {
  std::size_t next[kGivers] = {};
  const auto check = [&](const Load& load) {
    const std::size_t giver = load.at(0) / kLoads;
    const std::size_t number = load[0] % kLoads;
    if (load.size() != 1 && load != load_of(giver, number)) std::abort();
    if (number < next[giver]) std::abort();
    next[giver] = number + 1;
    std::atomic_ref(traffic.received[load[0]]).fetch_add(1);
  };
  try {
    while (id != 0)
      check(traffic.queue.get());
    for (;;) {
      for (const Load& load : traffic.queue.get_many(kAtOnce))
        check(load);
    }
  } catch (const mp::ShutDown&) {
  }
}

class Carriers {
 public:
  Carriers(std::uint64_t seed, std::size_t maxsize) : random_(seed) {
    traffic_.queue = mp::Queue<Load>(maxsize);
    traffic_.begun = mp::Array<std::uint32_t>(kGivers);
    traffic_.received = mp::Array<std::uint8_t>(kGivers * kLoads);
    for (std::size_t i = 0; i < kGivers + kTakers; ++i) {
      members_.emplace_back();
      start(i);
    }
  }

  void kill_some(std::uint64_t kills) {
    for (std::uint64_t i = 0; i < kills; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 8000));
      const std::size_t victim = random_() % members_.size();
      members_[victim]->kill();
      members_[victim]->join();
      ASSERT_EQ(members_[victim]->exitcode(), -SIGKILL) << "of member " << victim;
      may_be_lost_ += victim == kGivers ? kAtOnce : 1;
      start(victim);
    }
  }

  void finish() {
    traffic_.queue.shutdown();
    for (const auto& member : members_) {
      member->join();
      EXPECT_EQ(member->exitcode(), 0);
    }
    EXPECT_TRUE(traffic_.queue.empty());
    std::size_t lost = 0;
    for (std::size_t giver = 0; giver < kGivers; ++giver) {
      for (std::size_t number = 0; number < traffic_.begun[giver]; ++number) {
        const unsigned times = traffic_.received[giver * kLoads + number];
        EXPECT_LE(times, 1U) << "item " << number << " of giver " << giver;
        lost += times == 0 ? 1 : 0;
        items_ += times;
      }
    }
    EXPECT_LE(lost, may_be_lost_);
  }

  [[nodiscard]] std::size_t items() const { return items_; }

 private:
  void start(std::size_t i) {
    const mp::ProcessOptions options{.start_method = mp::StartMethod::forkserver};
    members_[i] = i < kGivers ? std::make_unique<mp::Process>(options, give, traffic_, i)
                              : std::make_unique<mp::Process>(options, take, traffic_, i - kGivers);
    members_[i]->start();
  }

  std::mt19937_64 random_;
  Traffic traffic_;
  std::vector<std::unique_ptr<mp::Process>> members_;
  std::size_t may_be_lost_ = 0;
  std::size_t items_ = 0;
};

TEST(Mesh, OfLargeItemsSurvivesKillsLong) {
  const std::uint64_t seed = setting("PROCESSION_TORTURE_SEED", std::random_device()());
  const std::uint64_t least = setting("PROCESSION_TORTURE_KILLS", 200);
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::seconds(setting("PROCESSION_TORTURE_SECONDS", 0));
  constexpr std::uint64_t kRound = 60;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::uint64_t kills = 0;
  std::uint64_t items = 0;
  mp::heap::Audit before;
  for (std::uint64_t round = 0; kills < least || std::chrono::steady_clock::now() < end; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    {
      Carriers carriers(seed + round, round % 3);
      carriers.kill_some(kRound);
      if (HasFatalFailure()) return;
      carriers.finish();
      items += carriers.items();
      kills += kRound;
    }
    const mp::heap::Audit after = mp::heap::audit();
    if (round != 0) {
      EXPECT_EQ(after.blocks, before.blocks);
      EXPECT_EQ(after.holds, before.holds);
    }
    before = after;
    if (HasFailure()) break;
  }
  std::printf("%llu kills, %llu items\n", static_cast<unsigned long long>(kills),
              static_cast<unsigned long long>(items));
}

}  // namespace
}  // namespace kill_test
