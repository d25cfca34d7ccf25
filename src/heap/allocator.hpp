// Blocks without regard to who holds them: taken from a free list, or from the frontier, and put
// back. Everything here is called under the heap's mutex.
#pragma once

#include "heap/layout.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

/// From this size on, a free block's memory goes back to the system when much of it lies idle.
inline constexpr std::uint64_t kLarge = std::uint64_t{1} << 20;

/// A block that is about to be used: `state` is still what it was.
struct Taken {
  Offset block = 0;  // 0: none was found
  std::uint64_t units = 0;
  bool sparse = false;     // the caller must commit its inside
  bool fresh = false;      // from the frontier: all zero
  bool no_memory = false;  // there would be room, but the system has no memory to commit
};

/// Finds a block of at least `units` in a region and takes it off its list; the quick way, from the
/// list of its class or the frontier.
Taken take(Transaction& change, Region region, std::uint64_t units) noexcept;

/// The slow way, when `take` found no room: cuts up a larger free block.
Taken take_by_splitting(Transaction& change, Region region, std::uint64_t units) noexcept;

/// Makes `block` a free block of this size and puts it on its list.
void push_free(Transaction& change, Offset block, std::uint64_t units, bool sparse) noexcept;

/// Whether the memory of a block of this size should go back to the system when it becomes free.
bool should_punch(Header& heap, std::uint64_t bytes) noexcept;

}  // namespace procession::heap
