#pragma once

#include <chrono>
#include <string>

#include "procession/timeout.hpp"

namespace procession::platform {

/// The moment, on the monotonic clock, at which a wait that starts now gives up.
class Deadline {
 public:
  /// One past the clock's range never comes.
  explicit Deadline(Timeout timeout);

  [[nodiscard]] bool never() const { return !end_; }
  [[nodiscard]] bool passed() const { return end_ && Clock::now() >= *end_; }
  /// What is left, not below zero; empty when it never passes.
  [[nodiscard]] Timeout left() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> end_;
};

/// So long from now; what is past the clock's range, at its end.
std::chrono::steady_clock::time_point moment_in(Duration time);

/// As a person would write it: `1.5 s`, `300 ms`. Throws std::bad_alloc.
std::string to_text(Duration time);

}  // namespace procession::platform
