// Owners of pools that are killed at each step of what they do to the memory that they share with
// their workers; and a worker that nobody wakes.

#include <csignal>
#include <deque>
#include <optional>

#include "left.hpp"
#include "pool/ring.hpp"
#include "pool/worker_bits.hpp"
#include "procession/process.hpp"
#include "support.hpp"
#include "support/kill_step.hpp"

#ifndef NDEBUG

namespace procession::pooltest {
namespace {

int noted(Where starts, Where ends, int index) {
  ++counter(starts, static_cast<std::size_t>(index));
  ++counter(ends, static_cast<std::size_t>(index));
  return 2 * index;
}

/// What the owner of a pool does, one of whose steps is its last.
void own_a_pool(Where starts, Where ends, std::size_t step) {
  Pool pool({.processes = 2, .start_method = StartMethod::fork});
  pool.apply([] {});
  kill_step::arm(step);
  auto single = pool.apply_async(noted, starts, ends, 0);
  single.then([](int) {});
  EXPECT_EQ(pool.map(bind(noted, starts, ends), {1, 2, 3}, {.chunksize = 1}).size(), 3U);
  for (const int value : pool.imap(bind(noted, starts, ends), {4, 5})) {
    EXPECT_GE(value, 8);
  }
  const auto cancelled = pool.apply_async([] { std::this_thread::sleep_for(1h); });
  cancelled.cancel();
  EXPECT_EQ(single.get(), 0);
  pool.close();
  pool.join();
  kill_step::disarm();
}

TEST(PoolAtEachStep, TheOwnersDeathLeavesNothing) {
  const heap::Audit before = settled_audit();
  std::deque<Tally> tallies;
  std::size_t step = 1;
  std::size_t steps = 0;
  for (unsigned survived = 0; survived < 3 && !HasFailure(); ++step) {
    SCOPED_TRACE("killed at step " + std::to_string(step));
    // Kept: workers may be at it for a moment after the death of their owner.
    const Tally& starts = tallies.emplace_back(6);
    const Tally& ends = tallies.emplace_back(6);
    Process owner(own_a_pool, starts.where(), ends.where(), step);
    owner.start();
    owner.join();
    EXPECT_TRUE(owner.exitcode() == 0 || owner.exitcode() == -SIGKILL) << *owner.exitcode();
    for (std::size_t i = 0; i < starts.size(); ++i) {
      EXPECT_LE(starts[i], 1U);
    }
    if (owner.exitcode() == 0) {
      ++survived;
      EXPECT_EQ(ends.other_than(1), 0U);
    } else {
      steps = step;
      survived = 0;
    }
  }
  until([&] { return orphans() == 0; });
  tallies.clear();
  until([&] {
    start_something();
    const heap::Audit now = heap::audit();
    return now.blocks <= before.blocks && now.holds <= before.holds;
  });
  std::printf("%zu steps\n", steps);
  EXPECT_GE(steps, 100U);
}

/// Whoever took it out of the set was killed before it woke it, and nobody has heard of that yet.
TEST(PoolSleep, AWorkerInNoSetLooksByItself) {
  heap::ensure();
  const heap::Block block(sizeof(pool::Shared), true);
  auto& shared = *heap::at<pool::Shared>(block.offset());
  shared.worker_slots_used = 1;
  std::thread sleeper([&] {
    EXPECT_FALSE(pool::wait_for_task(shared, 0, false, std::nullopt));
    EXPECT_EQ(pool::count(shared.parked, 1), 0U);
  });
  until([&] { return pool::erase(shared.parked, 0); });
  pool::publish(shared, 1);
  sleeper.join();
}

}  // namespace
}  // namespace procession::pooltest

#endif
