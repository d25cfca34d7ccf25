#include "process/grace_period.hpp"

#include <utility>

namespace procession::process {

Duration GracePeriodAccount::used() const noexcept {
  return free_again_.load() == 0 ? Duration::zero() : used(std::chrono::steady_clock::now());
}

Duration GracePeriodAccount::used(Moment now) const noexcept {
  const Moment end{Moment::duration(free_again_.load())};
  return std::clamp<Duration>(end - now, Duration::zero(), kGracePeriod);
}

void GracePeriodAccount::use(Duration before, Duration grace, Moment now) noexcept {
  const Moment end = now + std::min<Duration>(before + grace, kGracePeriod);
  Moment::rep found = free_again_.load();
  while (found < end.time_since_epoch().count() &&
         !free_again_.compare_exchange_weak(found, end.time_since_epoch().count())) {
  }
}

void GracePeriod::use_up() noexcept {
  if (std::exchange(used_up_, true)) return;
  grace_account.use(used_before_, length_, std::chrono::steady_clock::now());
}

}  // namespace procession::process
