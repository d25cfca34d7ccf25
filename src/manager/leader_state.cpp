#include "manager/leader_state.hpp"

#include "heap/testing.hpp"
#include "platform/cpu.hpp"
#include "platform/relax.hpp"

namespace procession::manager {

using heap::testing::step;

bool LeaderState::show() noexcept {
  const std::uint32_t cpu = 1 + platform::current_cpu();
  // To write there takes the cache line away from all clients.
  const std::uint32_t shown = cpu_.load(std::memory_order_relaxed);
  if (shown != cpu) cpu_.store(cpu, std::memory_order_relaxed);
  return shown == kDisplaced;
}

bool LeaderState::runs_elsewhere() noexcept {
  const std::uint32_t cpu = cpu_.load(std::memory_order_relaxed);
  if (cpu == 0 || cpu == kDisplaced) return false;
  if (cpu != 1 + platform::current_cpu()) return true;
  cpu_.store(kDisplaced, std::memory_order_relaxed);
  return false;
}

void LeaderState::wake_next() noexcept {
  if (!has_next()) return;
  const heap::Offset next = next_.exchange(0);
  step();
  if (next != 0) heap::at<sync::EventCount>(next)->wake_claimed();
}

bool ReplyWait::spin(LeaderState& leader, const detail::Transport& pipe) {
  using Clock = std::chrono::steady_clock;
  if (++calls_ > kCalls || !leader.runs_elsewhere()) return false;
  const Clock::time_point end = Clock::now() + kAwake;
  do {
    for (int i = 0; i != 16; ++i) {
      platform::relax();
      if (pipe.glance()) return true;
    }
  } while (Clock::now() < end);
  return false;
}

void ReplyWait::await(LeaderState& leader, detail::Transport& pipe) {
  if (spin(leader, pipe)) return;
  calls_ = 0;
  // Once the leader sees that this one sleeps, and does not answer it at once.
  pipe.doze(kAsleep, [&] { leader.wake_next(); });
}

}  // namespace procession::manager
