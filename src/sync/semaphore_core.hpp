#pragma once

#include <cstdint>

#include "sync/event_count.hpp"

namespace procession::sync {

/// A semaphore in shared memory, zeroed.
template <class S>
struct SemaphoreBody {
  std::uint32_t most;
  typename S::template Word<std::uint32_t> value;
  BasicEventCount<S> waiters;
};

/// What is done to a semaphore in shared memory. Its value is all of its state: a permit is taken
/// and given in one step, and who sleeps is woken after that. A wake-up of one that leaves permits
/// is passed on by the one who was woken.
template <class S>
class SemaphoreOn {
 public:
  explicit SemaphoreOn(SemaphoreBody<S>& body) : body_(body) {}

  bool take() noexcept {
    std::uint32_t found = body_.value.load();
    while (found != 0 && !body_.value.compare_exchange_weak(found, found - 1)) {
    }
    S::crash_point();
    return found != 0;
  }

  /// False when the deadline passes first.
  bool acquire(const typename S::Deadline& deadline) noexcept {
    BasicSleeper<S> sleeper(deadline);
    while (!take()) {
      const std::uint32_t seen = body_.waiters.prepare();
      if (take()) break;
      if (!sleeper.sleep(body_.waiters, seen)) return false;
    }
    if (sleeper.leave(body_.waiters) && body_.value.load() != 0) body_.waiters.wake_one();
    return true;
  }

  /// Not where there would be more than there may be; `found` is how many there were.
  bool release(std::int64_t n, std::uint32_t& found) noexcept {
    found = body_.value.load();
    do {
      if (n > std::int64_t{body_.most} - found) return false;
    } while (!body_.value.compare_exchange_weak(found, found + static_cast<std::uint32_t>(n)));
    S::crash_point();
    if (n == 1) {
      body_.waiters.wake_one();
    } else {
      body_.waiters.wake_all();
    }
    return true;
  }

 private:
  SemaphoreBody<S>& body_;
};

}  // namespace procession::sync
