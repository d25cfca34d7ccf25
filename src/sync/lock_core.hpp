#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sync/object.hpp"
#include "sync/system.hpp"

namespace procession::sync {

/// What a Lock or an RLock names. Whoever gets the mutex from a dead owner makes it consistent at
/// once: there is nothing in here to repair, and what the lock guards is the program's affair.
template <class S>
struct BasicLockObject {
  detail::ObjectHeader header;
  /// Process of the owner; 0: nobody. See kLockable. All that changes with an owner is in one cache
  /// line, which goes from one processor to the other with the lock.
  alignas(64) typename S::template Word<heap::Offset> owner;
  /// Its number in the tree, which no other ever has.
  typename S::template Word<std::uint64_t> owner_thread;
  std::uint32_t depth;  ///< of an RLock: how often its owner locked it
  typename S::template Word<std::uint32_t> previous_died;  ///< while it is owned
  typename S::Mutex mutex;
};

enum class Locked { yes, deadlock, timed_out };

/// What a thread does to a lock in shared memory.
template <class S>
class LockOn {
  static constexpr auto kPlain = std::memory_order_relaxed;  // the mutex orders the rest

 public:
  LockOn(BasicLockObject<S>& lock, std::uint64_t thread) : lock_(lock), thread_(thread) {}

  [[nodiscard]] bool is_owned() const noexcept {
    return lock_.owner_thread.load(kPlain) == thread_;
  }

  /// `attempt` is one at the mutex.
  template <class Attempt>
  Locked acquire(bool recursive, const Attempt& attempt) noexcept {
    if (is_owned()) [[unlikely]] {
      if (!recursive) return Locked::deadlock;
      ++lock_.depth;
      S::crash_point();
      return Locked::yes;
    }
    const platform::LockResult result = attempt();
    if (!result.acquired) return Locked::timed_out;
    note_owner(result.previous_owner_died);
    return Locked::yes;
  }

  /// By its owner.
  static void release(BasicLockObject<S>& lock) noexcept {
    if (--lock.depth != 0) return;
    S::crash_point();
    lock.owner.store(0, kPlain);
    S::crash_point();
    lock.owner_thread.store(0, kPlain);
    S::crash_point();
    if (lock.previous_died.load(kPlain) != 0) [[unlikely]] {
      lock.previous_died.store(0, kPlain);
      S::crash_point();
    }
    lock.mutex.unlock();
    S::crash_point();
  }

 private:
  void note_owner(bool previous_died) noexcept {
    if (previous_died) {
      lock_.mutex.make_consistent();
      S::crash_point();
      lock_.previous_died.store(1, kPlain);
    }
    S::crash_point();
    lock_.owner_thread.store(thread_, kPlain);
    S::crash_point();
    lock_.owner.store(S::process(), kPlain);
    S::crash_point();
    lock_.depth = 1;
    S::crash_point();
  }

  BasicLockObject<S>& lock_;
  const std::uint64_t thread_;
};

}  // namespace procession::sync
