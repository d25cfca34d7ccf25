// The queue owns the last holds of the blocks that are to be finalized. To own is all that it does:
// so whoever drops a hold moves it there in the same transaction, and it stays there over any death
// until somebody has ended what the block stands for.
#include "heap/finalization.hpp"

#include "heap/burial.hpp"
#include "heap/mapping.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

void finalize(Offset block, Offset queue) {
  Header& heap = header();
  const Guard guard(heap);
  Transaction change(heap);
  BlockHeader& target = block_at(heap, block);
  if (load(heap.finalization) != queue) change.set(heap.finalization, queue);
  change.set(target.state, load(target.state) | kFinalized);
  change.commit();
}

Ticket first_hold_of(Offset owner) noexcept { return load(block_at(header(), owner).first); }

void drop_finalized(Ticket ticket) noexcept {
  Header& heap = header();
  Ticket dirty = 0;
  bool zombies = false;
  {
    const Guard guard(heap);
    BlockHeader& target = block_at(heap, load(record_at(heap, ticket).target));
    Transaction change(heap);
    if (load(target.holds) == 1) change.set(target.state, load(target.state) & ~kFinalized);
    const Aftermath aftermath = drop_hold(change, ticket, false);
    change.commit();
    dirty = settle(heap, aftermath);
    zombies = load(heap.zombies) != 0;
  }
  if (dirty != 0) wash(heap, dirty);
  if (zombies) bury_all(heap);
}

void for_each_finalized(void (*visit)(Offset block)) noexcept {
  if (!exists()) return;
  settle();
  Header& heap = header();
  for (const Region region : {Region::library, Region::users}) {
    const Offset end = end_of_blocks(heap, region);
    for (Offset block = load(state_of(heap, region).first); block < end;
         block = next_block(heap, block)) {
      const BlockHeader& found = block_at(heap, block);
      if (state_of(found) == State::used && is_finalized(found)) visit(block);
    }
  }
}

}  // namespace procession::heap
