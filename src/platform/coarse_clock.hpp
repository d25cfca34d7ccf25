#pragma once

#include <chrono>

namespace procession::platform {

/// The monotonic clock as of its last tick, some milliseconds ago at most. To look at it takes a
/// quarter of what a look at std::chrono::steady_clock takes: for loops that have nothing else to
/// say how long they have run.
std::chrono::nanoseconds coarse_time() noexcept;

}  // namespace procession::platform
