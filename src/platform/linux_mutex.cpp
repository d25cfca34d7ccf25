#include <pthread.h>

#include <cerrno>
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

LockResult RobustMutex::lock() noexcept { return result_of(::pthread_mutex_lock(native(raw_))); }

LockResult RobustMutex::try_lock() noexcept {
  return result_of(::pthread_mutex_trylock(native(raw_)));
}

LockResult RobustMutex::lock_until(const Deadline& deadline) noexcept {
  const Timeout left = deadline.left();
  if (!left) return lock();
  if (const LockResult now = try_lock(); now.acquired || *left <= Duration::zero()) return now;
  timespec until{};
  ::clock_gettime(CLOCK_MONOTONIC, &until);
  const auto nanoseconds = until.tv_nsec + left->count() % 1'000'000'000;
  until.tv_sec += left->count() / 1'000'000'000 + nanoseconds / 1'000'000'000;
  until.tv_nsec = nanoseconds % 1'000'000'000;
  return result_of(::pthread_mutex_clocklock(native(raw_), CLOCK_MONOTONIC, &until));
}

void RobustMutex::unlock() noexcept { ::pthread_mutex_unlock(native(raw_)); }

void RobustMutex::make_consistent() noexcept { ::pthread_mutex_consistent(native(raw_)); }

}  // namespace procession::platform
