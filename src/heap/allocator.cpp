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

/// Bytes that a free block counts for in `Header::idle`.
std::uint64_t idle_bytes(std::uint64_t bytes, bool sparse) noexcept {
  return !sparse && bytes >= kLarge ? bytes : 0;
}

/// Backs what tells of blocks in [`from`, `to`) and does not lie beside them: the marks, or the
/// headers in the shadow; of a large block, only its own.
bool back_beside(Header& heap, Offset from, Offset to, bool sparse) noexcept {
  const std::uint64_t page = platform::page_size();
  if (region_of(heap, from) == Region::library) {
    const Offset begin = heap.marks + from / kUnit / 8;
    const Offset end = heap.marks + (sparse ? from : to) / kUnit / 8 + sizeof(Word);
    return back(heap, begin / page * page, round_up(end, page));
  }
  const Offset begin = header_of(heap, from);
  const Offset end = sparse ? begin + sizeof(BlockHeader) : header_of(heap, to);
  return back(heap, begin / page * page, round_up(end, page));
}

/// Backs a new block at the frontier. All of a small one; of a large one only the pages with its
/// ends: the rest is done without the mutex, for it can take long.
bool back_new(Header& heap, Offset block, Offset end, bool sparse) noexcept {
  RegionState& region = state_of(heap, region_of(heap, block));
  const std::uint64_t page = platform::page_size();
  const Offset committed = load(region.committed);
  Offset known = committed;
  if (sparse) {
    if (!back(heap, committed, round_up(block, page))) return false;
    known = std::max(committed, round_up(end, page));
    if (!back(heap, end / page * page, round_up(end, page))) return false;
    if (!back_beside(heap, block, known, true) || !back_beside(heap, end, known, false))
      return false;
    if (block > committed && !back_beside(heap, committed, block, false)) return false;
  } else if (end > committed) {
    known = std::min(round_up(std::max(end, committed + kStep), page), load(region.end));
    if (!back(heap, committed, known)) return false;
    if (!back_beside(heap, std::min(committed, block), known, false)) return false;
  }
  // Not part of the transaction: memory that is there does no harm, whatever becomes of the block.
  std::atomic_ref<Word>(region.committed).store(known, std::memory_order_relaxed);
  return true;
}

/// Notes that a block begins there.
void mark(Transaction& change, Offset block) noexcept {
  if (region_of(change.heap(), block) == Region::users) return;
  Word& word = mark_word(change.heap(), block);
  change.set(word, load(word) | mark_bit(block));
}

/// Makes a block out of the memory behind the last one.
Taken take_new(Transaction& change, Region region, std::size_t index,
               std::uint64_t units) noexcept {
  Header& heap = change.heap();
  RegionState& state = state_of(heap, region);
  const std::uint64_t unit = unit_of(region);
  const Offset frontier = load(state.frontier);
  const std::uint64_t room = load(state.end) - frontier;
  if (room < gap_of(region) + units * unit) return {};
  Taken taken;
  taken.block = frontier + gap_of(region);
  taken.units = std::min(class_units(index), (room - gap_of(region)) / unit);
  taken.sparse = taken.units * unit >= kLarge;
  taken.fresh = true;
  const Offset end = taken.block + taken.units * unit;
  if (!back_new(heap, taken.block, end, taken.sparse)) return {.no_memory = true};
  mark(change, taken.block);
  change.set(state.frontier, end);
  return taken;
}

/// Cuts off what `taken` has beyond `units`, as a free block of its own. False when there is no
/// memory for its header.
bool trim(Transaction& change, Taken& taken, std::uint64_t units) noexcept {
  if (taken.units <= units) return true;
  Header& heap = change.heap();
  const Region region = region_of(heap, taken.block);
  const Offset cut = taken.block + units * unit_of(region);
  const Offset rest = cut + gap_of(region);
  const std::uint64_t page = platform::page_size();
  if (taken.sparse) {
    const Offset start = cut / page * page;
    if (!back(heap, start, start + page)) return false;
  }
  if (!back_beside(heap, rest, rest, true)) return false;
  mark(change, rest);
  push_free(change, rest, taken.units - units - gap_of(region) / kUnit, taken.sparse);
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
  if (const std::uint64_t bytes = idle_bytes(bytes_of(heap, taken.block), taken.sparse)) {
    change.set(heap.idle, load(heap.idle) - bytes);
  }
  if (!trim(change, taken, units)) return {.no_memory = true};
  return taken;
}

}  // namespace

Taken take(Transaction& change, Region region, std::uint64_t units) noexcept {
  const std::size_t index = ceil_class(units);
  Word& list = state_of(change.heap(), region).free[index];
  if (load(list) != 0) [[likely]]
    return unlink(change, list, class_units(index));
  return take_new(change, region, index, units);
}

Taken take_by_splitting(Transaction& change, Region region, std::uint64_t units) noexcept {
  Header& heap = change.heap();
  auto& free = state_of(heap, region).free;
  // Joined blocks have any size: one of the class below may do too.
  Word* link = &free[floor_class(units)];
  while (load(*link) != 0) {
    BlockHeader& block = block_at(heap, load(*link));
    if (units_of(block) >= units) return unlink(change, *link, units_of(block));
    link = &block.link;
  }
  for (std::size_t index = ceil_class(units); index < kClasses; ++index) {
    if (load(free[index]) != 0) {
      return unlink(change, free[index], class_units(ceil_class(units)));
    }
  }
  return {};
}

void push_free(Transaction& change, Offset block, std::uint64_t units, bool sparse) noexcept {
  Header& heap = change.heap();
  const Region region = region_of(heap, block);
  BlockHeader& header = block_at(heap, block);
  Word& list = state_of(heap, region).free[floor_class(units)];
  change.set(header.state, state_word(State::free, units, sparse));
  change.set(header.link, load(list));
  change.set(list, block);
  if (const std::uint64_t bytes = idle_bytes(units * unit_of(region), sparse)) {
    change.set(heap.idle, load(heap.idle) + bytes);
  }
}

bool should_punch(Header& heap, std::uint64_t bytes) noexcept {
  return bytes >= kLarge && load(heap.idle) + bytes > std::min(kMostIdle, load(heap.reserve) / 4);
}

}  // namespace procession::heap
