#pragma once

#include "procession/lock.hpp"
#include "sync/lock_object.hpp"

namespace procession::detail {

/// The way from a lock's handle to its object and back, for what is built on locks.
struct LockAccess {
  static sync::LockObject& object(const LockHandle& lock) {
    return lock.handle_.object<sync::LockObject>(lock.what_);
  }
  static const char* what(const LockHandle& lock) { return lock.what_; }
  /// Takes over a hold of this process on an RLock's block.
  static RLock own_rlock(heap::HoldId hold_id) { return RLock(Handle::own(hold_id)); }
};

}  // namespace procession::detail
