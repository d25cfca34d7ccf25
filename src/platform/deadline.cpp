#include "platform/deadline.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace procession::platform {

Deadline::Deadline(Timeout timeout) {
  if (!timeout) {
    return;
  }
  if (*timeout < Duration::zero()) {
    throw std::invalid_argument(
        "a time-out of " + std::to_string(timeout->count()) +
        " ns was asked for; it must not be negative: pass zero to poll, or an empty "
        "Timeout to wait for ever");
  }
  const auto now = Clock::now();
  // A time-out past the clock's range is one that never passes.
  if (*timeout < Clock::time_point::max() - now) {
    end_ = now + *timeout;
  }
}

Timeout Deadline::left() const {
  if (!end_) {
    return std::nullopt;
  }
  return std::max(Duration::zero(), std::chrono::duration_cast<Duration>(*end_ - Clock::now()));
}

}  // namespace procession::platform
