#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <new>

#include "platform/mutex.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {
namespace {

pthread_mutex_t* native(std::byte* raw) noexcept {
  return std::launder(reinterpret_cast<pthread_mutex_t*>(raw));
}

LockResult result_of(int code) noexcept {
  return {code == 0 || code == EOWNERDEAD, code == EOWNERDEAD};
}

/// The time on the monotonic clock in so long.
timespec in(Duration time) noexcept {
  timespec until{};
  ::clock_gettime(CLOCK_MONOTONIC, &until);
  const auto nanoseconds = until.tv_nsec + time.count() % 1'000'000'000;
  until.tv_sec += time.count() / 1'000'000'000 + nanoseconds / 1'000'000'000;
  until.tv_nsec = nanoseconds % 1'000'000'000;
  return until;
}

}  // namespace

void RobustMutex::init() {
  static_assert(sizeof(pthread_mutex_t) <= sizeof raw_ && alignof(pthread_mutex_t) <= 8);
  pthread_mutexattr_t kind;
  int code = ::pthread_mutexattr_init(&kind);
  if (code != 0) throw_system_error("describe a mutex", code);
  code = ::pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
  if (code == 0) code = ::pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  if (code == 0) code = ::pthread_mutex_init(new (raw_) pthread_mutex_t, &kind);
  ::pthread_mutexattr_destroy(&kind);
  if (code != 0) throw_system_error("make a mutex that processes share", code);
}

LockResult RobustMutex::lock() noexcept { return lock_until(Deadline(Timeout())); }

LockResult RobustMutex::try_lock() noexcept {
  return result_of(::pthread_mutex_trylock(native(raw_)));
}

// Where the one who was woken is killed and another one takes the lock in passing, nobody knows of
// those who sleep any more. So no sleep is without an end.
LockResult RobustMutex::lock_until(const Deadline& deadline) noexcept {
  constexpr Duration kLongestNap = std::chrono::seconds(8);
  int code = ::pthread_mutex_trylock(native(raw_));
  for (Duration nap = std::chrono::milliseconds(100); code == EBUSY || code == ETIMEDOUT;
       nap = std::min(8 * nap, kLongestNap)) {
    const Timeout left = deadline.left();
    if (left && *left <= Duration::zero()) break;
    const timespec until = in(left ? std::min(*left, nap) : nap);
    code = ::pthread_mutex_clocklock(native(raw_), CLOCK_MONOTONIC, &until);
  }
  return result_of(code);
}

void RobustMutex::unlock() noexcept { ::pthread_mutex_unlock(native(raw_)); }

void RobustMutex::make_consistent() noexcept { ::pthread_mutex_consistent(native(raw_)); }

}  // namespace procession::platform
