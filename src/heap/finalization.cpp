// The queue owns the last holds of the blocks that are to be finalized. To own is all that it does:
// so whoever drops a hold moves it there in the same transaction, and it stays there over any death
// until somebody has ended what the block stands for.
#include "heap/finalization.hpp"

#include "heap/deferred_release.hpp"
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

HoldId first_hold_of(Offset owner) noexcept { return load(block_at(header(), owner).first); }

void drop_finalized(HoldId hold_id) noexcept {
  Header& heap = header();
  drop_by(heap, [&](Transaction& change) {
    BlockHeader& target = block_at(heap, load(record_at(heap, hold_id).target));
    if (load(target.holds) == 1) change.set(target.state, load(target.state) & ~kFinalized);
    return drop_hold(change, hold_id, false);
  });
}

void drop_holds_of(Offset owner, const std::uint64_t& word, std::uint64_t expected,
                   const std::uint32_t& mark, std::uint32_t expected_mark) noexcept {
  Header& heap = header();
  for (bool more = true; more;) {
    drop_by(heap, [&](Transaction& change) {
      const bool same = load(word) == expected && mark == expected_mark;
      const HoldId first = same ? load(block_at(heap, owner).first) : 0;
      more = first != 0;
      return more ? drop_hold(change, first, false) : PendingWork{};
    });
  }
  finalize_queued(heap);
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
