#include "heap/rebuild.hpp"

#include "heap/allocator.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

// First, in one transaction, all free lists are emptied: free blocks are then on none of them. Then
// the heap is walked, and each run of free neighbours becomes one block on a list, in a transaction
// that also notes how far the walk has come. Whoever finds it unfinished goes on from there.

void rebuild(Header& heap) noexcept {
  Transaction change(heap);
  for (Word& list : heap.free) {
    if (load(list) != 0) change.set(list, 0);
  }
  change.set(heap.idle, 0);
  change.set(heap.rebuilding, load(heap.first));
  change.commit();
  finish_rebuild(heap);
}

void finish_rebuild(Header& heap) noexcept {
  Offset block = load(heap.rebuilding);
  if (block == 0) return;
  const Offset end = load(heap.frontier) + sizeof(BlockHeader);
  while (block < end) {
    const Offset start = block;
    bool sparse = false;
    while (block < end && state_of(block_at(heap, block)) == State::free) {
      sparse = sparse || is_sparse(block_at(heap, block));
      block = next_block(heap, block);
    }
    if (block == start) {
      block = next_block(heap, block);
      continue;
    }
    Transaction change(heap);
    push_free(change, start, (block - start - sizeof(BlockHeader)) / kUnit, sparse);
    change.set(heap.rebuilding, block);
    change.commit();
  }
  Transaction change(heap);
  change.set(heap.rebuilding, 0);
  change.commit();
}

}  // namespace procession::heap
