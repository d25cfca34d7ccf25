#pragma once

#include <chrono>
#include <optional>

namespace procession {

/// The unit of every length of time in this library: nanoseconds.
using Duration = std::chrono::nanoseconds;

/// How long a call may wait. Empty: for ever; zero: do not wait, poll; a negative one is refused
/// with `std::invalid_argument`. Measured against the monotonic clock. Python: `timeout=None`,
/// `timeout=0`. Half a second is `500ms`: what `0.5s` makes does not fit in without a cast.
using Timeout = std::optional<Duration>;

}  // namespace procession
