#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

#include "platform/futex.hpp"
#include "platform/linux/poll.hpp"

namespace procession::platform {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// Without FUTEX_PRIVATE_FLAG: the kernel then knows the word by its page, not by its address. The
// bitset variant takes an absolute time, so that an interrupted wait does not grow longer.
long sleep_on(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
              const timespec* until) noexcept {
  return ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, expected, until, nullptr,
                   FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

WaitResult futex_wait_until(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                            WaitDeadline deadline) noexcept {
  timespec until{};
  if (deadline) {
    const auto since = deadline->time_since_epoch();  // of CLOCK_MONOTONIC
    if (since < Duration::zero()) return WaitResult::timed_out;
    until = timespec_of(since);
  }
  for (;;) {
    if (sleep_on(word, expected, deadline ? &until : nullptr) == 0) return WaitResult::woken;
    if (errno == ETIMEDOUT) return WaitResult::timed_out;
    if (errno != EINTR) return WaitResult::changed;
  }
}

WaitResult futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                      Timeout timeout) noexcept {
  using Clock = std::chrono::steady_clock;
  if (!timeout) return futex_wait_until(word, expected, std::nullopt);
  if (*timeout <= Duration::zero()) {
    return word.load(std::memory_order_acquire) == expected ? WaitResult::timed_out
                                                            : WaitResult::changed;
  }
  const auto now = Clock::now();
  if (*timeout >= Clock::time_point::max() - now) {
    return futex_wait_until(word, expected, std::nullopt);
  }
  return futex_wait_until(word, expected, now + *timeout);
}

WaitResult futex_nap(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                     std::chrono::nanoseconds most) noexcept {
  const timespec time = timespec_of(most);
  if (::syscall(SYS_futex, &word, FUTEX_WAIT, expected, &time) == 0 || errno == EINTR) {
    return WaitResult::woken;
  }
  return errno == ETIMEDOUT ? WaitResult::timed_out : WaitResult::changed;
}

int futex_wake(const std::atomic<std::uint32_t>& word, int most) noexcept {
  return static_cast<int>(::syscall(SYS_futex, &word, FUTEX_WAKE, most, nullptr, nullptr, 0));
}

int futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept {
  return futex_wake(word, INT_MAX);
}

}  // namespace procession::platform
