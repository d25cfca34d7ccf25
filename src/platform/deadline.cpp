#include "platform/deadline.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <stdexcept>
#include <string>

namespace procession::platform {

Deadline::Deadline(Timeout timeout) {
  if (!timeout) {
    return;
  }
  if (*timeout < Duration::zero()) {
    throw std::invalid_argument(
        "a time-out of " + to_text(*timeout) +
        " was asked for; it must not be negative: pass zero to poll, or an empty "
        "Timeout to wait for ever");
  }
  const auto now = Clock::now();
  // A time-out past the clock's range is one that never passes.
  if (*timeout < Clock::time_point::max() - now) {
    end_ = now + *timeout;
  }
}

std::string to_text(Duration time) {
  struct Unit {
    const char* name;
    double nanoseconds;
  };
  constexpr Unit kUnits[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
  const auto count = static_cast<double>(time.count());
  const Unit* unit = kUnits;
  while (std::abs(count) < unit->nanoseconds && unit + 1 != std::end(kUnits))
    ++unit;
  char text[32];
  std::snprintf(text, sizeof text, "%g %s", count / unit->nanoseconds, unit->name);
  return text;
}

Timeout Deadline::left() const {
  if (!end_) {
    return std::nullopt;
  }
  return std::max(Duration::zero(), std::chrono::duration_cast<Duration>(*end_ - Clock::now()));
}

}  // namespace procession::platform
