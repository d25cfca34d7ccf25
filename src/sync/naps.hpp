#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace procession::sync {

/// How long the sleeps of one wait last that end by themselves, one after another: each five times
/// as long as the one before, up to five seconds. So what should have ended a wait and was lost
/// with a killed process makes it late by about as long as it has lasted already, and a long wait
/// costs next to no processor time.
class Naps {
 public:
  explicit Naps(std::chrono::nanoseconds first) noexcept : next_(first) {}

  std::chrono::nanoseconds next() noexcept {
    return std::exchange(next_, std::min<std::chrono::nanoseconds>(kLongest, 5 * next_));
  }

 private:
  static constexpr std::chrono::seconds kLongest{5};
  std::chrono::nanoseconds next_;
};

}  // namespace procession::sync
