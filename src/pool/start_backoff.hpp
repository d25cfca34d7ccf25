#pragma once

#include <algorithm>
#include <chrono>

#include "procession/timeout.hpp"

namespace procession::pool {

/// When a pool tries again to start workers that could not be started, or that ended before they
/// were ready. Each attempt that fails doubles the time to the next one, so that a lack of
/// descriptors, processes or memory costs next to nothing while it lasts, and is over for the pool
/// soon after it is over for the system. Not thread-safe.
class StartBackoff {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds kFirst{20};
  static constexpr std::chrono::milliseconds kLongest{1000};
  /// How long starts may fail before tasks that wait for a worker fail too.
  static constexpr std::chrono::milliseconds kPatience{500};
  /// How soon after an attempt that failed a new task can bring about the next one.
  static constexpr std::chrono::milliseconds kHastened{100};

  void failed(Clock::time_point now) {
    if (!failing_) {
      failing_ = true;
      since_ = now;
      delay_ = kFirst;
    }
    last_ = now;
    next_ = now + delay_;
    delay_ = std::min(2 * delay_, kLongest);
  }
  void succeeded() { *this = {}; }

  /// No attempt any more until somebody wants a worker (`hasten`).
  void rest() { next_ = Clock::time_point::max(); }
  void hasten() { next_ = std::min(next_, last_ + kHastened); }

  /// How long until the next attempt; empty: until `hasten`.
  [[nodiscard]] Timeout left(Clock::time_point now) const {
    if (next_ == Clock::time_point::max()) {
      return std::nullopt;
    }
    return std::max(Duration::zero(), std::chrono::duration_cast<Duration>(next_ - now));
  }
  /// Whether starts have failed for so long that what waits for a worker is to fail.
  [[nodiscard]] bool has_lasted(Clock::time_point now) const {
    return failing_ && now - since_ >= kPatience;
  }

 private:
  bool failing_ = false;
  std::chrono::milliseconds delay_ = kFirst;
  Clock::time_point since_;  ///< the first attempt that failed, in a row of such
  Clock::time_point last_;   ///< the last one
  Clock::time_point next_;
};

}  // namespace procession::pool
