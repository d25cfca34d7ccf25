#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "platform/cpu.hpp"
#include "platform/relax.hpp"

namespace procession::channel {

inline constexpr std::uint32_t kShortestWait = 4;  ///< of `pauses`: items do not come in a stream

/// Looks for some microseconds how much `there()` is, until it is something: as long as it takes
/// another processor to serve this one, and much less than it takes to fall asleep and to be woken.
///
/// Each look takes the cache line away from who is about to write there, which costs that one more
/// than a whole item does. So where items come in a stream, it looks more rarely, and finds more at
/// once: `pauses`, which those who wait for the same share, says how long to wait before a look. It
/// grows as long as the wait before the first look brings enough, and shrinks when it does not: who
/// waits for the answer to one question does not wait longer than it takes.
template <class Amount>
bool spin_until(std::atomic<std::uint32_t>& pauses, Amount there) {
  constexpr std::uint32_t kMostPauses = 1600;  // in all
  constexpr std::uint32_t kLongest = 64;
  constexpr std::uint32_t kForOne = 8;  // as long as one item takes, with a wide margin
  static const bool worth_it = platform::usable_cpus() > 1;
  if (!worth_it) {
    return there() != 0;
  }
  const std::uint32_t step =
      std::clamp(pauses.load(std::memory_order_relaxed), kShortestWait, kLongest);
  for (std::uint32_t waited = 0; waited < kMostPauses; waited += step) {
    for (std::uint32_t pause = 0; pause < step; ++pause) {
      platform::relax();
    }
    if (const std::size_t amount = there(); amount != 0) {
      const bool stream = waited == 0 && amount >= step / kForOne;
      const std::uint32_t next = stream ? 2 * step : step / 2;
      pauses.store(next, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

}  // namespace procession::channel
