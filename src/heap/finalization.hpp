// Blocks that stand for something outside of the heap, which is to end when nobody holds them.
#pragma once

#include "heap/heap.hpp"
#include "heap/layout.hpp"

namespace procession::heap {

/// Has what is in the queue finalized, if there is something. To be called without the mutex after
/// holds were dropped.
inline void finalize_queued(Header& heap) noexcept {
  const Offset queue = load(heap.finalization);
  if (queue != 0 && load(block_at(heap, queue).first) != 0 && finalize_blocks != nullptr) {
    finalize_blocks();
  }
}

}  // namespace procession::heap
