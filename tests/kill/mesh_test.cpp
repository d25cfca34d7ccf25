// A mesh of processes around queues, pipes, locks and shared values, of which one after another is
// killed at a random moment and replaced, and what must hold afterwards:
//
//   - each item was received once, or was in the hands of a killed process;
//   - what one consumer received of one producer is in order;
//   - a lock is free, or a live process has it, and what it guards is whole;
//   - counters have lost no more than killed processes were counting;
//   - nobody waits for a dead process;
//   - no process, descriptor or block of the shared heap is left.
//
// PROCESSION_TORTURE_SEED chooses the seed, PROCESSION_TORTURE_KILLS how many are killed,
// PROCESSION_TORTURE_SECONDS for how long if longer than that takes (scripts/torture).

#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "heap/heap.hpp"
#include "procession/procession.hpp"
#include "support/setting.hpp"

namespace kill_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

using Random = std::mt19937_64;

constexpr int kProducers = 3;
constexpr int kConsumers = 3;
constexpr int kLockers = 3;
constexpr int kWaiters = 2;
constexpr int kAllocators = 2;
constexpr std::size_t kMostItems = 200'000;  // of one producer

struct Item {
  int producer = 0;
  std::uint32_t number = 0;
  std::string load;
};

std::string load_of(int producer, std::uint32_t number) {
  // Mostly small; now and then one that needs a block of its own, or carries the ring round.
  const std::size_t size = number % 97 == 0 ? 40'000 : number % 13 == 0 ? 900 : number % 40;
  return std::string(size,
                     static_cast<char>('a' + (number + static_cast<unsigned>(producer)) % 26));
}

/// What several lines of code under one lock keep in step.
struct Account {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::uint64_t inside = 0;
};

/// All that the mesh shares. Sent to each process as one argument.
struct Mesh {
  mp::Queue<Item> queue{500};
  mp::Queue<mp::Queue<int>> handles;
  mp::Array<std::uint32_t> begun;    // by producer: items whose put has begun
  mp::Array<std::uint32_t> put;      // by producer: items whose put has returned
  mp::Array<std::uint8_t> received;  // by producer and item: how often
  mp::Array<std::uint32_t> faults;   // [0]: order, [1]: contents, [2]: two in a lock
  mp::Lock lock;
  mp::Array<Account> account;        // one, under the lock
  mp::Array<std::uint64_t> entries;  // by locker: how often it came out of the lock
  mp::Value<std::uint64_t> total;    // counted by all lockers
  mp::Array<std::uint64_t> counted;  // by locker: how often its count had returned
  mp::Condition condition;
  mp::Event stop;
  mp::Semaphore permits{4};
};

void count(const mp::Array<std::uint32_t>& array, std::size_t index) {
  std::atomic_ref<std::uint32_t>(array[index]).fetch_add(1);
}

void produce(const Mesh& mesh, int id) {
  const auto index = static_cast<std::size_t>(id);
  while (!mesh.stop.is_set() && mesh.begun[index] < kMostItems) {
    const std::uint32_t number = mesh.begun[index];
    mesh.begun[index] = number + 1;
    Item item{id, number, load_of(id, number)};
    try {
      mesh.queue.put(item);
    } catch (const mp::ShutDown&) {
      mesh.begun[index] = number;
      return;
    }
    mesh.put[index] = number + 1;
  }
}

void check(const Mesh& mesh, std::vector<std::uint32_t>& last, const Item& item) {
  const auto producer = static_cast<std::size_t>(item.producer);
  if (item.load != load_of(item.producer, item.number)) {
    count(mesh.faults, 1);
    return;
  }
  if (item.number + 1 <= last[producer]) count(mesh.faults, 0);
  last[producer] = item.number + 1;
  std::atomic_ref<std::uint8_t>(mesh.received[producer * kMostItems + item.number]).fetch_add(1);
}

void consume(const Mesh& mesh, int id) {
  std::vector<std::uint32_t> last(kProducers, 0);
  if (id == 0) {
    try {
      for (;;) {
        for (const Item& item : mesh.queue.get_many(5))
          check(mesh, last, item);
      }
    } catch (const mp::ShutDown&) {
    }
    return;
  }
  for (const Item& item : mesh.queue)
    check(mesh, last, item);
}

void lock_and_count(const Mesh& mesh, int id) {
  const auto index = static_cast<std::size_t>(id);
  Account& account = mesh.account[0];
  while (!mesh.stop.is_set()) {
    {
      const std::scoped_lock guard(mesh.lock);
      if (mesh.lock.owner_died()) {
        account.inside = 0;
        account.second = account.first;
      }
      if (std::atomic_ref(account.inside).exchange(1) != 0) count(mesh.faults, 2);
      if (account.first != account.second) count(mesh.faults, 2);
      ++account.first;
      ++account.second;
      account.inside = 0;
    }
    ++mesh.entries[index];
    mp::Value<std::uint64_t> total = mesh.total;
    ++total;
    ++mesh.counted[index];
  }
}

/// Waits for the others of its kind to notify it, and for permits. Only time-outs would tell that
/// it was forgotten; the mesh does not go on without it, see Controller::finish.
void wait_and_notify(const Mesh& mesh, int id) {
  while (!mesh.stop.is_set()) {
    mp::Condition condition = mesh.condition;
    {
      const std::scoped_lock guard(condition);
      if (id == 0) {
        condition.wait(1ms);
      } else {
        condition.notify_all();
      }
    }
    if (mesh.permits.try_acquire_for(1ms)) mesh.permits.release();
  }
}

/// Makes queues, sends them to each other, and drops what arrives.
void allocate(const Mesh& mesh, int id) {
  while (!mesh.stop.is_set()) {
    const mp::Queue<int> made;
    made.put(id);
    mesh.handles.try_put(made);
    if (const auto other = mesh.handles.try_get()) {
      if (other->try_get().value_or(-1) < 0) count(mesh.faults, 1);
    }
  }
}

/// What is answered to a text of that size.
std::size_t next_size(std::size_t size) { return (size * 3 + 1) % 90'000; }

/// Two ends of a pipe; whoever loses the other says so by its end.
void talk(const Mesh& mesh, const mp::Connection& connection, bool begins) {
  std::size_t said = 0;
  try {
    if (begins) connection.send(std::string());
    while (!mesh.stop.is_set()) {
      if (!connection.poll(20ms)) continue;
      const auto heard = connection.recv<std::string>();
      const bool answer = begins || said != 0;
      if ((answer && heard.size() != next_size(said)) ||
          heard.find_first_not_of('x') != std::string::npos) {
        count(mesh.faults, 1);
      }
      said = next_size(heard.size());
      connection.send(std::string(said, 'x'));
    }
  } catch (const mp::EndOfFile&) {
    // The other end has gone.
  } catch (const mp::BrokenPipe&) {
  }
}

void live(const Mesh& mesh, int kind, int id) {
  switch (kind) {
    case 0:
      return produce(mesh, id);
    case 1:
      return consume(mesh, id);
    case 2:
      return lock_and_count(mesh, id);
    case 3:
      return wait_and_notify(mesh, id);
    default:
      return allocate(mesh, id);
  }
}

constexpr std::array kCounts{kProducers, kConsumers, kLockers, kWaiters, kAllocators};

Mesh make_mesh() {
  Mesh mesh;
  mesh.begun = mp::Array<std::uint32_t>(kProducers);
  mesh.put = mp::Array<std::uint32_t>(kProducers);
  mesh.received = mp::Array<std::uint8_t>(kProducers * kMostItems);
  mesh.faults = mp::Array<std::uint32_t>(3);
  mesh.account = mp::Array<Account>(1);
  mesh.entries = mp::Array<std::uint64_t>(kLockers);
  mesh.counted = mp::Array<std::uint64_t>(kLockers);
  return mesh;
}

struct Member {
  int kind = 0;
  int id = 0;
  std::unique_ptr<mp::Process> process;
};

class Controller {
 public:
  Controller(std::uint64_t seed, mp::StartMethod method) : random_(seed), method_(method) {
    for (int kind = 0; kind < static_cast<int>(kCounts.size()); ++kind) {
      for (int id = 0; id < kCounts[static_cast<std::size_t>(kind)]; ++id) {
        members_.push_back({kind, id, nullptr});
        start(members_.back());
      }
    }
    start_peers();
  }

  void kill_some(std::uint64_t kills) {
    for (std::uint64_t i = 0; i < kills; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 4000));
      if (random_() % 8 == 0) {
        peers_[random_() % peers_.size()]->kill();
        for (const auto& peer : peers_)
          peer->join();  // the other one sees the end
        start_peers();
        continue;
      }
      Member& member = members_[random_() % members_.size()];
      member.process->kill();
      member.process->join();
      if (member.kind == 0) ++producers_killed_;
      if (member.kind == 1) consumers_killed_ += member.id == 0 ? 5 : 1;  // get_many has five
      if (member.kind == 2) ++lockers_killed_;
      start(member);
    }
  }

  /// Everybody comes to an end by itself, or the watchdog tells who does not.
  void finish() {
    mesh_.stop.set();
    for (Member& member : members_) {
      if (member.kind != 1) end(member);
    }
    mesh_.queue.shutdown();
    for (Member& member : members_) {
      if (member.kind == 1) end(member);
    }
    for (const auto& peer : peers_)
      peer->join();
  }

  void check() {
    EXPECT_EQ(mesh_.faults[0], 0U) << "items out of order";
    EXPECT_EQ(mesh_.faults[1], 0U) << "damaged items";
    EXPECT_EQ(mesh_.faults[2], 0U) << "a lock that two had, or whose data was torn";
    std::uint64_t lost = 0;
    for (std::size_t producer = 0; producer < kProducers; ++producer) {
      for (std::uint32_t number = 0; number < mesh_.begun[producer]; ++number) {
        const auto times = mesh_.received[producer * kMostItems + number];
        EXPECT_LE(times, 1) << "item " << number << " of producer " << producer;
        if (times == 0) ++lost;
      }
      received_ += mesh_.begun[producer];
    }
    EXPECT_LE(lost, producers_killed_ + consumers_killed_);
    EXPECT_TRUE(mesh_.queue.empty());
    const std::scoped_lock guard(mesh_.lock);
    EXPECT_LE(mesh_.account[0].first - mesh_.account[0].second, 1U);
    std::uint64_t entries = 0;
    std::uint64_t counted = 0;
    for (std::size_t i = 0; i < kLockers; ++i) {
      entries += mesh_.entries[i];
      counted += mesh_.counted[i];
    }
    EXPECT_GE(mesh_.account[0].first, entries);
    EXPECT_LE(mesh_.account[0].first, entries + lockers_killed_);
    EXPECT_GE(mesh_.total.value(), counted);
    EXPECT_LE(mesh_.total.value(), counted + lockers_killed_);
  }

  [[nodiscard]] std::uint64_t items() const { return received_; }

 private:
  void start(Member& member) {
    member.process = std::make_unique<mp::Process>(mp::ProcessOptions{.start_method = method_},
                                                   live, mesh_, member.kind, member.id);
    member.process->start();
  }
  static void end(Member& member) {
    member.process->join();
    EXPECT_EQ(member.process->exitcode(), 0) << "a process of kind " << member.kind;
  }
  void start_peers() {
    peers_.clear();
    auto [first, second] = mp::Pipe();
    const mp::ProcessOptions options{.start_method = method_};
    peers_.push_back(std::make_unique<mp::Process>(options, talk, mesh_, first, true));
    peers_.push_back(std::make_unique<mp::Process>(options, talk, mesh_, second, false));
    for (const auto& peer : peers_)
      peer->start();
  }

  Random random_;
  const mp::StartMethod method_;
  Mesh mesh_ = make_mesh();
  std::vector<Member> members_;
  std::vector<std::unique_ptr<mp::Process>> peers_;
  std::uint64_t producers_killed_ = 0;
  std::uint64_t consumers_killed_ = 0;
  std::uint64_t lockers_killed_ = 0;
  std::uint64_t received_ = 0;
};

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

std::size_t mappings() {
  std::ifstream file("/proc/self/maps");
  std::size_t shared = 0;
  for (std::string line; std::getline(file, line);) {
    shared += line.find(" rw-s ") != std::string::npos ? 1 : 0;
  }
  return shared;
}

TEST(Mesh, SurvivesKillsOfItsMembersLong) {
  const std::uint64_t seed = setting("PROCESSION_TORTURE_SEED", std::random_device()());
  const std::uint64_t least = setting("PROCESSION_TORTURE_KILLS", 300);
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::seconds(setting("PROCESSION_TORTURE_SECONDS", 0));
  constexpr std::uint64_t kRound = 60;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::uint64_t items = 0;
  std::optional<mp::heap::Audit> before;
  std::size_t descriptors = 0;
  std::size_t maps = 0;
  std::uint64_t kills = 0;
  for (std::uint64_t round = 0; kills < least || std::chrono::steady_clock::now() < end;
       kills += kRound, ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    {
      Controller controller(seed + round, mp::StartMethod::forkserver);
      controller.kill_some(kRound);
      controller.finish();
      controller.check();
      items += controller.items();
    }
    EXPECT_TRUE(mp::active_children().empty());
    const mp::heap::Audit after = mp::heap::audit();
    if (before) {
      EXPECT_EQ(after.blocks, before->blocks);
      EXPECT_EQ(after.holds, before->holds);
      EXPECT_EQ(open_descriptors(), descriptors);
      EXPECT_EQ(mappings(), maps);
    }
    before = after;  // what the first round made for good is there from now on
    descriptors = open_descriptors();
    maps = mappings();
    if (HasFailure()) break;
  }
  std::printf("%llu kills, %llu items\n", static_cast<unsigned long long>(kills),
              static_cast<unsigned long long>(items));
}

/// The same members as threads, for the thread sanitizer to look at.
TEST(Mesh, RunsOnThreadsWithoutKills) {
  Controller controller(0, mp::StartMethod::thread);
  std::this_thread::sleep_for(2s);
  controller.finish();
  controller.check();
  std::printf("%llu items\n", static_cast<unsigned long long>(controller.items()));
}

}  // namespace
}  // namespace kill_test
