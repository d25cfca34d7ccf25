#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "procession/timeout.hpp"

// Sleeping until a 32-bit word changes. The word may lie in shared memory: sleepers and wakers may
// be different processes that map it at different addresses. (std::atomic::wait of libstdc++ 12
// cannot do that.)
namespace procession::platform {

/// Why a wait ended.
enum class WaitResult {
  woken,      ///< someone called `futex_wake`; or nobody did: look at the word again
  changed,    ///< the word was not what was expected
  timed_out,  ///< the deadline passed
};

/// Moment of the monotonic clock; empty: never.
using WaitDeadline = std::optional<std::chrono::steady_clock::time_point>;

/// Sleeps while `word` is `expected`, until it is woken or the deadline passes. Signals do not end
/// the wait.
WaitResult futex_wait_until(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                            WaitDeadline deadline) noexcept;

/// The same for a length of time; not positive: does not sleep.
WaitResult futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                      Timeout timeout = {}) noexcept;

/// Sleeps at most so long, or until a signal comes, which is told as `woken`. It looks at no clock,
/// which takes a child that has just begun five page faults.
WaitResult futex_nap(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                     std::chrono::nanoseconds most) noexcept;

/// Wakes at most `most` of those that sleep on `word`; says how many.
int futex_wake(const std::atomic<std::uint32_t>& word, int most) noexcept;

/// Wakes all of them.
int futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept;

}  // namespace procession::platform
