#include "heap/rebuild.hpp"

#include "heap/allocator.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

// First, in one transaction, all free lists are emptied: free blocks are then on none of them. Then
// the heap is walked, and each run of free neighbours becomes one block on a list, in a transaction
// that also notes how far the walk has come. Whoever finds it unfinished goes on from there.

void rebuild(Header& heap) noexcept {
  Transaction change(heap);
  for (RegionState& region : heap.regions) {
    for (Word& list : region.free) {
      if (load(list) != 0) change.set(list, 0);
    }
  }
  change.set(heap.idle, 0);
  change.set(heap.rebuilding, load(state_of(heap, Region::library).first));
  change.commit();
  finish_rebuild(heap);
}

namespace {

/// Of a free block that becomes a part of another one. Whether that is done for some of them and
/// not for others is the same to all who look, so it is no part of a transaction.
void unmark(Header& heap, Offset block) noexcept {
  if (region_of(heap, block) == Region::users) return;
  Word& word = mark_word(heap, block);
  testing::step();
  std::atomic_ref<Word>(word).store(load(word) & ~mark_bit(block), std::memory_order_release);
  testing::step();
}

/// From `block` to the end of its region.
void join_blocks(Header& heap, Offset block, Region region) noexcept {
  const Offset end = end_of_blocks(heap, region);
  while (block < end) {
    const Offset start = block;
    bool sparse = false;
    while (block < end && state_of(block_at(heap, block)) == State::free) {
      sparse = sparse || is_sparse(block_at(heap, block));
      if (block != start) unmark(heap, block);
      block = next_block(heap, block);
    }
    if (block == start) {
      block = next_block(heap, block);
      continue;
    }
    Transaction change(heap);
    push_free(change, start, (block - start - gap_of(region)) / unit_of(region), sparse);
    change.set(heap.rebuilding, block);
    change.commit();
  }
}

}  // namespace

void finish_rebuild(Header& heap) noexcept {
  const Offset block = load(heap.rebuilding);
  if (block == 0) return;
  if (region_of(heap, block) == Region::library) {
    join_blocks(heap, block, Region::library);
    join_blocks(heap, load(state_of(heap, Region::users).first), Region::users);
  } else {
    join_blocks(heap, block, Region::users);
  }
  Transaction change(heap);
  change.set(heap.rebuilding, 0);
  change.commit();
}

}  // namespace procession::heap
