// The holds of this process on the objects that its handles name, in private memory. They are
// listed, because the child of a fork inherits the handles but not the holds.
#pragma once

#include <atomic>

#include "heap/heap.hpp"
#include "procession/detail/handle.hpp"

namespace procession::detail {

class LocalHold {
 public:
  explicit LocalHold(heap::HoldId hold_id) noexcept : hold_id_(hold_id) {}

  void share() noexcept { ++handles_; }
  /// True when that was the last one.
  bool leave() noexcept { return --handles_ == 0; }

 private:
  friend class LocalHolds;

  std::atomic<std::uint32_t> handles_{1};
  heap::HoldId hold_id_;
  heap::HoldId child_hold_id_ = 0;  ///< the hold of a child that is being forked
  LocalHold* next_ = nullptr;
  LocalHold* prev_ = nullptr;
};

/// All of them.
class LocalHolds {
 public:
  static void add(LocalHold& hold) noexcept;
  /// True when nobody else, in any process or message, had one on that object.
  static bool remove(LocalHold& hold) noexcept;

  /// Before a fork: locks the list, and has `record`, which is to be the child's, hold what this
  /// process holds. What there is no room for is empty in the child.
  static void before_fork(heap::Offset record) noexcept;
  static void after_fork_in_parent() noexcept;
  /// In the child, which has `record` as its own from here on.
  static void after_fork_in_child() noexcept;
};

}  // namespace procession::detail
