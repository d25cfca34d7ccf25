#pragma once

#include <atomic>
#include <cstddef>

#include "platform/deadline.hpp"
#include "platform/mutex.hpp"
#include "sync/object.hpp"

namespace procession::sync {

/// What a Lock or an RLock names. Whoever gets the mutex from a dead owner makes it consistent at
/// once: there is nothing in here to repair, and what the lock guards is the program's affair.
struct LockObject {
  detail::ObjectHeader header;
  /// Process of the owner; 0: nobody. See kLockable. All that changes with an owner is in one cache
  /// line, which goes from one processor to the other with the lock.
  alignas(64) std::atomic<heap::Offset> owner;
  std::atomic<std::uint64_t> owner_thread;   ///< its number in the tree, which no other ever has
  std::uint32_t depth;                       ///< of an RLock: how often its owner locked it
  std::atomic<std::uint32_t> previous_died;  ///< while it is owned
  platform::RobustMutex mutex;
};
static_assert(sizeof(LockObject) == 128);
static_assert(offsetof(LockObject, owner) == 64, "where heap/handle.cpp looks, see kLockable");

/// A new RLock that only the block at `holder` holds.
heap::Offset make_lock_for(heap::Offset holder);

/// Whether the calling thread has it.
bool is_owned(const LockObject& lock) noexcept;
/// The text for a lock that a thread was to unlock, or to wait with, and does not have.
[[noreturn]] void throw_not_owned(const LockObject& lock, const char* asked, const char* what);

/// False when the deadline passes first. A thread that has it already: ProcessError.
bool acquire(LockObject& lock, const platform::Deadline& deadline, const char* what);
void acquire(LockObject& lock, const char* what);
/// Throws ProcessError when the calling thread does not have it.
void release(LockObject& lock, const char* what);

/// Gives up an RLock that was locked any number of times; that number, for `restore`.
std::uint32_t release_fully(LockObject& lock, const char* what);
void restore(LockObject& lock, std::uint32_t depth, const char* what);

}  // namespace procession::sync
