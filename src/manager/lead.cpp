#include "manager/lead.hpp"

#include "platform/cpu.hpp"
#include "platform/relax.hpp"

namespace procession::manager {

void Lead::show() noexcept {
  const std::uint32_t cpu = 1 + platform::current_cpu();
  // To write there takes the cache line away from all clients.
  if (cpu_.load(std::memory_order_relaxed) != cpu) cpu_.store(cpu, std::memory_order_relaxed);
}

bool Lead::runs_elsewhere() noexcept {
  const std::uint32_t cpu = cpu_.load(std::memory_order_relaxed);
  if (cpu != 1 + platform::current_cpu()) return cpu != 0;
  hide();
  return false;
}

bool Turns::spin(Lead& lead, const detail::Transport& pipe) {
  using Clock = std::chrono::steady_clock;
  if (++calls_ > kCalls || !lead.runs_elsewhere()) return false;
  const Clock::time_point end = Clock::now() + kAwake;
  do {
    for (int i = 0; i != 16; ++i) {
      platform::relax();
      if (pipe.glance()) return true;
    }
  } while (Clock::now() < end);
  return false;
}

void Turns::await(Lead& lead, detail::Transport& pipe) {
  if (spin(lead, pipe)) return;
  calls_ = 0;
  pipe.doze(kAsleep);
}

}  // namespace procession::manager
