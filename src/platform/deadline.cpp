#include "platform/deadline.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <string>

namespace procession::platform {

Deadline::Deadline(Timeout timeout) {
  if (!timeout) {
    return;
  }
  const auto end = moment_in(*timeout);
  if (end != Clock::time_point::max()) {
    end_ = end;
  }
}

std::chrono::steady_clock::time_point moment_in(Duration time) {
  using Clock = std::chrono::steady_clock;
  const auto now = Clock::now();
  return time < Clock::time_point::max() - now ? now + time : Clock::time_point::max();
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
