#pragma once

#include <cstddef>

#include "platform/deadline.hpp"
#include "sync/lock_core.hpp"

namespace procession::sync {

using LockObject = BasicLockObject<System>;
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
