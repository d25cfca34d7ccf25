#pragma once

#include "sync/system.hpp"

namespace procession::sync {

/// A place in shared memory that a waiting thread occupies, and that is seen to be empty when it
/// has ended, in whatever way: a robust mutex that the thread has locked meanwhile.
template <class S>
class BasicLivenessSlot {
 public:
  void init() { mutex_.init(); }

  /// Takes the place. False: somebody who lives is in it. What a dead one left in it is the
  /// caller's to overwrite.
  bool enter() noexcept {
    const platform::LockResult result = mutex_.try_lock();
    if (result.previous_owner_died) mutex_.make_consistent();
    return result.acquired;
  }
  /// By the thread that entered.
  void leave() noexcept { mutex_.unlock(); }

  /// Whether somebody who lives is in it.
  bool occupied() noexcept {
    if (!enter()) return true;
    leave();
    return false;
  }

 private:
  typename S::Mutex mutex_;
};

using LivenessSlot = BasicLivenessSlot<System>;

}  // namespace procession::sync
