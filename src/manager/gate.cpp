#include <algorithm>
#include <utility>

#include "manager/caller.hpp"
#include "platform/deadline.hpp"
#include "procession/detail/served_gate.hpp"

namespace procession::detail {

namespace {

using Clock = std::chrono::steady_clock;

/// How often a wait looks whether its caller is still there: soon at first, then so often.
constexpr std::chrono::milliseconds kFirstNap{50};
constexpr std::chrono::milliseconds kLongestNap{1000};

}  // namespace

Gate::Wait::Wait(Timeout timeout) : nap(kFirstNap) {
  if (timeout) end = platform::moment_in(*timeout);
}

bool Gate::nap(std::unique_lock<std::mutex>& lock, Wait& wait) {
  const Clock::time_point now = Clock::now();
  if (wait.end && now >= *wait.end) return false;
  const Duration most = std::exchange(wait.nap, std::min<Duration>(2 * wait.nap, kLongestNap));
  changed_.wait_for(lock, wait.end ? std::min<Duration>(most, *wait.end - now) : most);
  try {
    expect_caller();
  } catch (const manager::CallerGone&) {
    changed_.notify_one();
    throw;
  }
  return true;
}

}  // namespace procession::detail
