#include <linux/futex.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <new>

#include "platform/backoff.hpp"
#include "platform/linux/poll.hpp"
#include "platform/mutex.hpp"
#include "platform/system_error.hpp"

#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#include <sanitizer/tsan_interface.h>
#endif

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
  return timespec_of(std::chrono::steady_clock::now().time_since_epoch() + time);
}

/// The ThreadSanitizer of gcc 12 does not know pthread_mutex_clocklock.
void tell_sanitizer([[maybe_unused]] pthread_mutex_t* locked) noexcept {
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
  __tsan_mutex_pre_lock(locked, 0);
  __tsan_mutex_post_lock(locked, 0, 0);
#endif
}

/// Where the one who was woken is killed and another one takes the lock in passing, nobody knows of
/// those who sleep any more. So no sleep is without an end.
LockResult wait_for(pthread_mutex_t* mutex, const Deadline& deadline) noexcept {
  int code = EBUSY;
  for (Backoff backoff(std::chrono::milliseconds(100)); code == EBUSY || code == ETIMEDOUT;) {
    const Timeout left = deadline.left();
    if (left && *left <= Duration::zero()) break;
    const Duration nap = backoff.next();
    const timespec until = in(left ? std::min(*left, nap) : nap);
    code = ::pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);
  }
  const LockResult result = result_of(code);
  if (result.acquired) tell_sanitizer(mutex);
  return result;
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

LockResult RobustMutex::lock() noexcept {
  const int code = ::pthread_mutex_trylock(native(raw_));
  if (code == 0) [[likely]]
    return {true, false};
  return code == EBUSY ? wait_for(native(raw_), Deadline(Timeout())) : result_of(code);
}

LockResult RobustMutex::try_lock() noexcept {
  return result_of(::pthread_mutex_trylock(native(raw_)));
}

LockResult RobustMutex::lock_until(const Deadline& deadline) noexcept {
  const int code = ::pthread_mutex_trylock(native(raw_));
  return code == EBUSY ? wait_for(native(raw_), deadline) : result_of(code);
}

void RobustMutex::unlock() noexcept { ::pthread_mutex_unlock(native(raw_)); }

bool RobustMutex::owned() const noexcept {
  // The thread id of the owner, which an unlock clears, and else the kernel at the owner's end.
  const auto* const mutex = std::launder(reinterpret_cast<const pthread_mutex_t*>(raw_));
  const int word = __atomic_load_n(&mutex->__data.__lock, __ATOMIC_ACQUIRE);
  return (static_cast<unsigned>(word) & FUTEX_TID_MASK) != 0;
}

void RobustMutex::make_consistent() noexcept { ::pthread_mutex_consistent(native(raw_)); }

}  // namespace procession::platform
