#include "heap/burial.hpp"

#include "heap/backing.hpp"
#include "heap/finalization.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

Ticket settle(Header& heap, Aftermath aftermath) noexcept {
  if (aftermath.punch != 0) {
    punch_payload(heap, aftermath.punch, bytes_of(heap, aftermath.punch));
  }
  return aftermath.wash;
}

Ticket bury(Header& heap) noexcept {
  const Offset zombie = load(heap.zombies);
  BlockHeader& header = block_at(heap, zombie);
  Transaction change(heap);
  Aftermath aftermath;
  if (load(header.first) != 0) {
    aftermath = drop_hold(change, load(header.first), false);
  } else {
    change.set(heap.zombies, load(header.link));
    aftermath = give_back(change, zombie, false);
  }
  change.commit();
  return settle(heap, aftermath);
}

void wash(Header& heap, Ticket ticket) noexcept {
  const Offset block = load(record_at(heap, ticket).target);
  punch_payload(heap, block, bytes_of(heap, block));
  const Guard guard(heap);
  Transaction change(heap);
  const Aftermath aftermath = drop_hold(change, ticket, true);
  change.commit();
  static_cast<void>(aftermath);  // a washed block, which holds nothing, leaves none
}

void bury_all(Header& heap) noexcept {
  for (bool more = true; more;) {
    Ticket dirty = 0;
    {
      const Guard guard(heap);
      for (int i = 0; i < 64 && dirty == 0 && load(heap.zombies) != 0; ++i)
        dirty = bury(heap);
      more = load(heap.zombies) != 0;
    }
    if (dirty != 0) wash(heap, dirty);
  }
  finalize_queued(heap);
}

}  // namespace procession::heap
