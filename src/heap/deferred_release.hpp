// The release of blocks: what happens after the last hold on one was dropped.
//
// A block that held others goes on a list in the heap, and its release is deferred: what it held is
// dropped hold by hold, each in a transaction of its own. Whoever comes by goes on with it, so it
// does not matter who is killed meanwhile.
#pragma once

#include "heap/holds.hpp"
#include "heap/layout.hpp"
#include "heap/mapping.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

/// Does the part of the pending work that needs the mutex, under it. Returns what there is to
/// `decommit`.
[[nodiscard]] HoldId settle(Header& heap, PendingWork pending) noexcept;

/// One transaction, under the mutex: drops one hold of a deferred block, or gives the block back.
/// There must be one. Returns what there is to `decommit`.
[[nodiscard]] HoldId release_step(Header& heap) noexcept;

/// Lets the memory of a block go back to the system, then the block. Takes the mutex, but not for
/// the part that takes long.
void decommit(Header& heap, HoldId hold_id) noexcept;

/// Releases deferred blocks until there are none. Takes the mutex, and lets others have it now and
/// then.
void release_deferred(Header& heap) noexcept;

/// One transaction in which holds are dropped, under the mutex: `step(change)` says what is done in
/// it and returns what is pending. Then that is done, without the mutex.
template <class Step>
void drop_by(Header& heap, const Step& step) noexcept {
  HoldId dirty = 0;
  bool deferred = false;
  {
    const Guard guard(heap);
    Transaction change(heap);
    const PendingWork pending = step(change);
    change.commit();
    dirty = settle(heap, pending);
    deferred = load(heap.deferred) != 0;
  }
  if (dirty != 0) decommit(heap, dirty);
  if (deferred) release_deferred(heap);
}

}  // namespace procession::heap
