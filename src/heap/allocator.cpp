#include "heap/allocator.hpp"

#include <algorithm>

#include "heap/backing.hpp"
#include "platform/memory.hpp"

namespace procession::heap {
namespace {

/// Memory for small blocks is committed so much at a time.
constexpr std::uint64_t kStep = std::uint64_t{256} << 10;

/// Large free blocks keep up to so much memory.
constexpr std::uint64_t kMostIdle = std::uint64_t{256} << 20;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) noexcept {
  return (value + step - 1) / step * step;
}

/// Bytes that a free block counts for in `Header::idle`.
std::uint64_t idle_bytes(std::uint64_t units, bool sparse) noexcept {
  return !sparse && units * kUnit >= kLarge ? units * kUnit : 0;
}

/// Backs a new block at the frontier. All of a small one; of a large one only the pages with its
/// ends: the rest is done without the mutex, for it can take long.
bool back_new(Header& heap, Offset block, Offset end, bool sparse) noexcept {
  const std::uint64_t page = platform::page_size();
  const Offset committed = load(heap.committed);
  Offset known = committed;
  if (sparse) {
    if (!back(heap, committed, round_up(block, page))) return false;
    known = std::max(committed, round_up(end, page));
    if (!back(heap, end / page * page, round_up(end, page))) return false;
  } else if (end > committed) {
    known = std::min(round_up(std::max(end, committed + kStep), page), load(heap.reserve));
    if (!back(heap, committed, known)) return false;
  }
  // Not part of the transaction: memory that is there does no harm, whatever becomes of the block.
  std::atomic_ref<Word>(heap.committed).store(known, std::memory_order_relaxed);
  return true;
}

/// Makes a block out of the memory behind the last one.
Taken take_new(Transaction& change, std::size_t index, std::uint64_t units) noexcept {
  Header& heap = change.heap();
  const Offset frontier = load(heap.frontier);
  const std::uint64_t room = load(heap.reserve) - frontier;
  if (room < sizeof(BlockHeader) + units * kUnit) return {};
  Taken taken;
  taken.block = frontier + sizeof(BlockHeader);
  taken.units = std::min(class_units(index), room / kUnit - 1);
  taken.sparse = taken.units * kUnit >= kLarge;
  taken.fresh = true;
  const Offset end = taken.block + taken.units * kUnit;
  if (!back_new(heap, taken.block, end, taken.sparse)) return {.no_memory = true};
  change.set(heap.frontier, end);
  return taken;
}

/// Cuts off what `taken` has beyond `units`, as a free block of its own. False when there is no
/// memory for its header.
bool trim(Transaction& change, Taken& taken, std::uint64_t units) noexcept {
  if (taken.units <= units) return true;
  const Offset cut = taken.block + units * kUnit;
  if (taken.sparse) {
    const std::uint64_t page = platform::page_size();
    const Offset start = cut / page * page;
    if (!back(change.heap(), start, start + page)) return false;
  }
  push_free(change, cut + sizeof(BlockHeader), taken.units - units - 1, taken.sparse);
  taken.units = units;
  return true;
}

/// Takes `block` from its list, where `link` names it.
Taken unlink(Transaction& change, Word& link, std::uint64_t units) noexcept {
  Header& heap = change.heap();
  Taken taken;
  taken.block = load(link);
  const BlockHeader& header = block_at(heap, taken.block);
  taken.units = units_of(header);
  taken.sparse = is_sparse(header);
  change.set(link, load(header.link));
  if (const std::uint64_t bytes = idle_bytes(taken.units, taken.sparse)) {
    change.set(heap.idle, load(heap.idle) - bytes);
  }
  if (!trim(change, taken, units)) return {.no_memory = true};
  return taken;
}

}  // namespace

Taken take(Transaction& change, std::uint64_t units) noexcept {
  const std::size_t index = ceil_class(units);
  Word& list = change.heap().free[index];
  if (load(list) != 0) [[likely]]
    return unlink(change, list, class_units(index));
  return take_new(change, index, units);
}

Taken take_by_splitting(Transaction& change, std::uint64_t units) noexcept {
  Header& heap = change.heap();
  // Joined blocks have any size: one of the class below may do too.
  Word* link = &heap.free[floor_class(units)];
  while (load(*link) != 0) {
    BlockHeader& block = block_at(heap, load(*link));
    if (units_of(block) >= units) return unlink(change, *link, units_of(block));
    link = &block.link;
  }
  for (std::size_t index = ceil_class(units); index < kClasses; ++index) {
    if (load(heap.free[index]) != 0) {
      return unlink(change, heap.free[index], class_units(ceil_class(units)));
    }
  }
  return {};
}

void push_free(Transaction& change, Offset block, std::uint64_t units, bool sparse) noexcept {
  Header& heap = change.heap();
  BlockHeader& header = block_at(heap, block);
  Word& list = heap.free[floor_class(units)];
  change.set(header.state, state_word(State::free, units, sparse));
  change.set(header.link, load(list));
  change.set(list, block);
  if (const std::uint64_t bytes = idle_bytes(units, sparse)) {
    change.set(heap.idle, load(heap.idle) + bytes);
  }
}

bool should_punch(Header& heap, std::uint64_t units) noexcept {
  const std::uint64_t bytes = units * kUnit;
  return bytes >= kLarge && load(heap.idle) + bytes > std::min(kMostIdle, load(heap.reserve) / 4);
}

}  // namespace procession::heap
