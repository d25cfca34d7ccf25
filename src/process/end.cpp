#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <vector>

#include "process/boot.hpp"
#include "process/children.hpp"
#include "process/fork_server.hpp"
#include "process/grace_period.hpp"
#include "process/lifecycle.hpp"
#include "process/log_delivery.hpp"
#include "process/uncaught.hpp"

namespace procession::process {

namespace {

using Clock = std::chrono::steady_clock;

Duration (*services_end)() = nullptr;

/// Ends daemons within what is left of the grace, and waits for the others. How much of it is left
/// then.
Duration end_all(const std::vector<std::shared_ptr<detail::Child>>& children, Duration grace) {
  std::vector<std::shared_ptr<detail::Child>> daemons;
  std::copy_if(
      children.begin(), children.end(), std::back_inserter(daemons),
      [](const auto& child) { return child->terminated_at_exit() && !child->is_thread(); });
  Duration left = grace;
  if (!daemons.empty()) {
    // Else nobody looks at the clock, which would cost each child at its end five page faults.
    const auto began = Clock::now();
    terminate_all(daemons);
    GracePeriod all(std::max<Duration>(kLeastGracePeriod, grace));
    join_terminated(daemons, all);
    left = std::chrono::duration_cast<Duration>(grace - (Clock::now() - began));
  }
  for (const auto& child : children) {
    if (!child->terminated_at_exit()) {
      attempt([&] { child->join({}); });
    }
  }
  return left;
}

}  // namespace

void set_services_end(Duration (*end)()) { services_end = end; }

void end_children() noexcept {
  note_end();
  Duration grace = kGracePeriod - grace_account.used();
  try {
    if (services_end != nullptr) {
      grace -= services_end();
    }
    grace = end_all(living_children(), grace);
  } catch (...) {
    // Without memory, say. The fork server is stopped all the same.
  }
  ForkServer::stop(std::clamp<Duration>(grace, kServersLeast, kServersGracePeriod));
  finish_deliveries();
}

}  // namespace procession::process
