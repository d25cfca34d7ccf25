#pragma once

#include <chrono>

#include "platform/relax.hpp"

namespace procession::pool {

/// How long a caller looks for its result, and an idle worker for a task, before it sleeps. A
/// wake-up across cores costs about as much.
inline constexpr std::chrono::microseconds kSpin{50};

/// Looks for a while. False when the condition did not come true.
template <class Condition>
bool spin_until(Condition condition) {
  constexpr unsigned kLooksBetweenClocks = 64;
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (unsigned look = 0; look < kLooksBetweenClocks; ++look) {
      if (condition()) {
        return true;
      }
      platform::relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace procession::pool
