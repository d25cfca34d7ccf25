#pragma once

#include "procession/codec.hpp"
#include "procession/detail/handle.hpp"
#include "procession/timeout.hpp"

namespace procession {

namespace detail {

struct LockAccess;

/// What Lock and RLock have in common. A handle.
class LockHandle {
 public:
  /// Waits for the lock. Throws `ProcessError` when a plain Lock is locked by the thread that has
  /// it already.
  void lock() const;
  /// Takes the lock if it is free, or an RLock of the calling thread's own; whether it did. Python:
  /// `acquire(False)`.
  [[nodiscard]] bool try_lock() const;
  /// Waits for the lock so long at most; whether it got it. Throws as `lock` does.
  [[nodiscard]] bool try_lock_for(Timeout timeout) const;
  /// Gives it back. Throws `ProcessError` when the calling thread does not have it.
  void unlock() const;
  /// For the one who has it: whether the last owner ended while it had it, killed or not, so that
  /// what the lock guards may be half changed.
  [[nodiscard]] bool owner_died() const;

 protected:
  LockHandle(Handle handle, const char* what) : handle_(std::move(handle)), what_(what) {}

  Handle handle_;
  const char* what_;

  friend struct LockAccess;
};

Handle make_lock(bool recursive);
void decode_lock(Decoder& decoder, Handle& handle, bool recursive);

}  // namespace detail

/// Mutual exclusion among processes and threads; works with std::scoped_lock and std::unique_lock.
///
///     mp::Lock lock;                             // sent to others as an argument
///     const std::scoped_lock guard(lock);
///     if (lock.owner_died()) repair();
///
/// When its owner ends without unlocking, in whatever way, the next one in line gets it, and is
/// told by `owner_died()`. Only the thread that locked it may unlock it. Neither fair nor
/// recursive. A handle; every member may be called from any thread of any process. Python:
/// `multiprocessing.Lock`, which is lost with its owner and which anyone may release.
class Lock : public detail::LockHandle {
 public:
  /// A new lock that nobody has. Throws `OutOfMemory`.
  Lock() : LockHandle(detail::make_lock(false), "a Lock") {}

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Lock& lock) { lock.handle_.encode(encoder, "a Lock"); }
  /// Receives it.
  friend void decode(Decoder& decoder, Lock& lock) {
    detail::decode_lock(decoder, lock.handle_, false);
  }
};

/// The same, which its owner may lock any number of times, and unlocks as many times. Python:
/// `multiprocessing.RLock`.
class RLock : public detail::LockHandle {
 public:
  /// A new lock that nobody has. Throws `OutOfMemory`.
  RLock() : LockHandle(detail::make_lock(true), "an RLock") {}

  /// Sends the handle.
  friend void encode(Encoder& encoder, const RLock& lock) {
    lock.handle_.encode(encoder, "an RLock");
  }
  /// Receives it.
  friend void decode(Decoder& decoder, RLock& lock) {
    detail::decode_lock(decoder, lock.handle_, true);
  }

 private:
  friend struct detail::LockAccess;
  explicit RLock(detail::Handle handle) : LockHandle(std::move(handle), "an RLock") {}
};

template <>
inline constexpr bool detail::kIsHandle<Lock> = true;
template <>
inline constexpr bool detail::kIsHandle<RLock> = true;

}  // namespace procession
