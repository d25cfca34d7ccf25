// The library's own mutexes, which know of each thread how many of them it has.
//
// Code of the user's (a log sink, a callback, a constructor of an exception, a destructor of what a
// callback captured) may call the library. Called by a thread that has a mutex of the library, it
// would wait for that mutex for ever. So it never is: what such a thread has to call is put off
// until it has given back the last one, and where that cannot be, `expect_unlocked` tells us so.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace procession::platform {

namespace own_locks {

struct Calls;
/// How many of the mutexes below this thread has.
inline thread_local constinit unsigned held = 0;
/// What is to be called once it has none; null: nothing.
inline thread_local constinit Calls* waiting = nullptr;

void call_waiting() noexcept;

/// The thread has given one back.
inline void gave_back() noexcept {
  if (--held == 0 && waiting != nullptr) [[unlikely]] {
    call_waiting();
  }
}

}  // namespace own_locks

/// A mutex of the standard library, counted. To wait with it takes a condition_variable_any.
template <class Native>
class OwnMutexOf {
 public:
  OwnMutexOf() = default;
  OwnMutexOf(const OwnMutexOf&) = delete;
  OwnMutexOf& operator=(const OwnMutexOf&) = delete;
  ~OwnMutexOf() = default;

  void lock() {
    native_.lock();
    ++own_locks::held;
  }
  bool try_lock() {
    const bool got = native_.try_lock();
    own_locks::held += got ? 1 : 0;
    return got;
  }
  template <class Time>
  bool try_lock_for(const Time& time) {
    const bool got = native_.try_lock_for(time);
    own_locks::held += got ? 1 : 0;
    return got;
  }
  /// Calls what was put off when it is the thread's last.
  void unlock() {
    native_.unlock();
    own_locks::gave_back();
  }

 private:
  Native native_;
};
using OwnMutex = OwnMutexOf<std::mutex>;
using OwnTimedMutex = OwnMutexOf<std::timed_mutex>;

/// Whether this thread has one of these mutexes.
[[nodiscard]] inline bool has_own_lock() noexcept { return own_locks::held != 0; }

/// Calls it here and now, or, where this thread has a mutex of the library's own, as soon as it has
/// given the last one back. It must not throw; without the memory to put it off it is not called.
void when_unlocked(std::function<void()> call) noexcept;

/// Destroys the value when `when_unlocked` would call: what is the user's has destructors.
template <class T>
void discard(T& value) noexcept {
  if (!has_own_lock()) {
    const T gone = std::exchange(value, T());
    return;
  }
  try {
    when_unlocked([gone = std::make_shared<T>(std::move(value))] {});
  } catch (...) {
    // Without memory it is destroyed where it is.
  }
}

/// In a debug build, ends the program when this thread has such a mutex: `what` of the user's is
/// about to be called.
void expect_unlocked(const char* what) noexcept;

/// In the child of a fork: the thread's mutexes, and what it had put off, are the parent's. First
/// `forget_waiting`, then the mutexes are made anew or given back, then `forget_own_locks`.
void forget_waiting() noexcept;
void forget_own_locks() noexcept;

}  // namespace procession::platform
