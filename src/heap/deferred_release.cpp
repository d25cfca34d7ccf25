#include "heap/deferred_release.hpp"

#include "heap/backing.hpp"
#include "heap/finalization.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

HoldId settle(Header& heap, PendingWork pending) noexcept {
  if (pending.punch != 0) {
    punch_payload(heap, pending.punch, bytes_of(heap, pending.punch));
  }
  return pending.decommit;
}

HoldId release_step(Header& heap) noexcept {
  const Offset block = load(heap.deferred);
  BlockHeader& header = block_at(heap, block);
  Transaction change(heap);
  PendingWork pending;
  if (load(header.first) != 0) {
    pending = drop_hold(change, load(header.first), false);
  } else {
    change.set(heap.deferred, load(header.link));
    pending = give_back(change, block, false);
  }
  change.commit();
  return settle(heap, pending);
}

void decommit(Header& heap, HoldId hold_id) noexcept {
  const Offset block = load(record_at(heap, hold_id).target);
  punch_payload(heap, block, bytes_of(heap, block));
  const Guard guard(heap);
  Transaction change(heap);
  const PendingWork pending = drop_hold(change, hold_id, true);
  change.commit();
  static_cast<void>(pending);  // a decommitted block, which holds nothing, leaves none
}

void release_deferred(Header& heap) noexcept {
  for (bool more = true; more;) {
    HoldId dirty = 0;
    {
      const Guard guard(heap);
      for (int i = 0; i < 64 && dirty == 0 && load(heap.deferred) != 0; ++i)
        dirty = release_step(heap);
      more = load(heap.deferred) != 0;
    }
    if (dirty != 0) decommit(heap, dirty);
  }
  finalize_queued(heap);
}

}  // namespace procession::heap
