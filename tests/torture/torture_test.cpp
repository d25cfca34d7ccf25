// Pools and executors by every start method, whose tasks return, throw, exit, crash, hang, grow
// past their limit and use pools, while tasks are cancelled, pools ended, and workers and the fork
// server killed at random. After each round:
//
//   - each task ended once, and as befits its kind and what was done to it: by a value, its own
//     exception, WorkerLost, TimeoutError or Cancelled;
//   - no more tasks were lost than processes killed, but those that end their workers themselves;
//   - callbacks were called once each;
//   - no process, descriptor or block of the shared heap is left.
//
// PROCESSION_TORTURE_SEED and PROCESSION_TORTURE_SECONDS choose the seed and the duration;
// scripts/torture runs it for long.

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>

#include "pool/left.hpp"
#include "support/setting.hpp"
#include "unit.hpp"

/// Which process executed this program.
static const int executed_by = ::getpid();

/// Asked by LeakSanitizer at each process's end. A child forked beside other threads has their
/// memory and not their stacks, so what only they referred to would look like a leak.
extern "C" int __lsan_is_turned_off() { return ::getpid() == executed_by ? 0 : 1; }

namespace torture_test {
namespace {

using procession::pooltest::Left;

/// Kills children of this process: workers, workers of pools in threads, the fork server.
class Killer {
 public:
  explicit Killer(std::uint64_t seed)
      : thread_([this, random = Random(seed)]() mutable {
          const std::uint64_t pause = std::uint64_t{500} << below(random, 7);
          // Pools whose workers are killed over and over before they are ready give up at a
          // hundred.
          while (!over_ && kills_ < kMost) {
            std::this_thread::sleep_for(std::chrono::microseconds(below(random, pause)));
            const auto children = procession::pooltest::children();
            if (children.empty()) continue;
            // Nothing can be started where the fork servers are killed faster than they start.
            if (children.size() <= procession::pooltest::kMostServers && below(random, 10) != 0)
              continue;
            const int pid = std::next(children.begin(),
                                      static_cast<std::ptrdiff_t>(below(random, children.size())))
                                ->first;
            if (process_test::stat_of(pid).parent == ::getpid() && ::kill(pid, SIGKILL) == 0)
              ++kills_;
          }
        }) {}
  ~Killer() { stop(); }

  /// Returns how many it killed.
  std::uint64_t stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    return kills_;
  }

 private:
  static constexpr std::uint64_t kMost = 60;

  std::atomic<bool> over_ = false;
  std::atomic<std::uint64_t> kills_ = 0;
  std::thread thread_;
};

mp::StartMethod random_method(Random& random) {
  const auto chance = below(random, 10);
  return chance < 5   ? mp::StartMethod::forkserver
         : chance < 6 ? mp::StartMethod::spawn
         : chance < 7 ? mp::StartMethod::fork
                      : mp::StartMethod::thread;
}

void play(std::uint64_t seed, Counts& counts) {
  Random random(seed);
  std::vector<std::unique_ptr<Unit>> units;
  for (auto left = 1 + below(random, 3); left > 0; --left) {
    const mp::StartMethod method = random_method(random);
    units.push_back(std::make_unique<Unit>(random(), method));
  }
  std::optional<Killer> killer;
  if (below(random, 3) != 0) killer.emplace(random());
  for (const auto& unit : units)
    unit->finish();
  const std::uint64_t kills = killer ? killer->stop() : 0;
  std::uint64_t murdered = 0;
  for (const auto& unit : units) {
    unit->judge(counts);
    murdered += unit->murdered();
    for (const std::string& complaint : unit->complaints())
      ADD_FAILURE() << complaint;
  }
  EXPECT_LE(murdered, kills);
  counts.kills += kills;
  ++counts.rounds;
}

/// What the first pool of each kind makes for all.
void warm_up() {
  for (const mp::StartMethod method : mp::get_all_start_methods()) {
    mp::Pool pool({.processes = 1, .start_method = method});
    std::atomic<bool> called = false;
    auto result = pool.apply_async([] {});
    result.then([&] { called = true; });
    procession::pooltest::until([&] { return called.load(); });
  }
  procession::pooltest::settled_audit();
}

TEST(Torture, EveryTaskEndsOnceAndAsItShould) {
  const std::uint64_t seed = setting("PROCESSION_TORTURE_SEED", std::random_device()());
  const std::uint64_t seconds = setting("PROCESSION_TORTURE_SECONDS", 30);
  std::printf("seed %" PRIu64 ", %" PRIu64 " s\n", seed, seconds);
  std::fflush(stdout);
  warm_up();
  const Left before = Left::look();
  Random random(seed);
  Counts counts;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end && !HasFailure()) {
    const std::uint64_t round = random();
    SCOPED_TRACE("round " + std::to_string(counts.rounds) + " with seed " + std::to_string(round));
    play(round, counts);
    expect_nothing_left(before);
  }
  std::printf("%" PRIu64 " rounds, %" PRIu64 " tasks, %" PRIu64 " kills; %" PRIu64
              " values, %" PRIu64 " exceptions, %" PRIu64 " lost, %" PRIu64
              " over their time, %" PRIu64 " cancelled; %" PRIu64 " callbacks\n",
              counts.rounds.load(), counts.tasks.load(), counts.kills.load(), counts.ends[0].load(),
              counts.ends[1].load(), counts.ends[2].load(), counts.ends[3].load(),
              counts.ends[4].load(), counts.callbacks.load());
}

}  // namespace
}  // namespace torture_test
