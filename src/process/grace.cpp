#include "process/grace.hpp"

#include <utility>

namespace procession::process {

Duration GraceAccount::used() const noexcept {
  return free_again_.load() == 0 ? Duration::zero() : used(std::chrono::steady_clock::now());
}

Duration GraceAccount::used(Moment now) const noexcept {
  const Moment end{Moment::duration(free_again_.load())};
  return std::clamp<Duration>(end - now, Duration::zero(), kGrace);
}

void GraceAccount::use(Duration before, Duration grace, Moment now) noexcept {
  const Moment end = now + std::min<Duration>(before + grace, kGrace);
  Moment::rep found = free_again_.load();
  while (found < end.time_since_epoch().count() &&
         !free_again_.compare_exchange_weak(found, end.time_since_epoch().count())) {
  }
}

void Grace::use_up() noexcept {
  if (std::exchange(used_up_, true)) return;
  grace_account.use(used_before_, length_, std::chrono::steady_clock::now());
}

}  // namespace procession::process
