#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "procession/timeout.hpp"

namespace procession::platform {

/// How long the sleeps of one wait last that end by themselves, one after another: each eight times
/// as long as the one before, up to eight seconds. So what should have ended a wait and was lost
/// with a killed process makes it late by some times what it has lasted already, and no more than
/// eight seconds. A long wait costs next to no processor time: an idle process that wakes up has
/// to bring its memory back into the caches, which takes some hundred microseconds.
class Backoff {
 public:
  /// Of those that sleep in shared memory, where a killed process may have swallowed a wake-up.
  static constexpr std::chrono::milliseconds kFirst{100};

  explicit Backoff(std::chrono::nanoseconds first = kFirst) noexcept : next_(first) {}

  std::chrono::nanoseconds next() noexcept {
    return std::exchange(next_, std::min<std::chrono::nanoseconds>(kLongest, 8 * next_));
  }
  /// Not longer than what is left until a deadline; empty: there is none.
  std::chrono::nanoseconds next(const Timeout& left) noexcept {
    const std::chrono::nanoseconds nap = next();
    return left ? std::min<std::chrono::nanoseconds>(*left, nap) : nap;
  }

 private:
  static constexpr std::chrono::seconds kLongest{8};
  std::chrono::nanoseconds next_;
};

}  // namespace procession::platform
