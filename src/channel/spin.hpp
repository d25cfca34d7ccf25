#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "sync/adaptive_spin.hpp"

namespace procession::channel {

inline constexpr std::uint32_t kShortestWait = 4;  ///< of `pauses`: items do not come in a stream

/// Looks how much `there()` is until it is something, for as long as it has paid lately (see
/// sync::AdaptiveSpin; `place` is what is waited for).
///
/// Each look takes the cache line away from who is about to write there, which costs that one more
/// than a whole item does. So where items come in a stream, it looks more rarely, and finds more at
/// once: `pauses`, which those who wait for the same share, says how long to wait before a look. It
/// grows as long as the wait before the first look brings enough, and shrinks when it does not: who
/// waits for the answer to one question does not wait longer than it takes.
template <class Amount>
bool spin_until(const void* place, std::atomic<std::uint32_t>& pauses, Amount there) {
  constexpr std::uint32_t kLongest = 64;
  constexpr std::uint32_t kForOne = 8;  // as long as one item takes, with a wide margin
  const std::uint32_t step =
      std::clamp(pauses.load(std::memory_order_relaxed), kShortestWait, kLongest);
  bool first = true;
  return sync::spin_at(place).spin_every(step, [&] {
    const std::size_t amount = there();
    if (amount != 0) {
      const bool stream = first && amount >= step / kForOne;
      pauses.store(stream ? 2 * step : step / 2, std::memory_order_relaxed);
    }
    first = false;
    return amount != 0;
  });
}

}  // namespace procession::channel
