#include "heap/holds.hpp"

#include "heap/allocator.hpp"
#include "heap/heap.hpp"

namespace procession::heap {

PendingWork give_back(Transaction& change, Offset block, bool decommitted) noexcept {
  Header& heap = change.heap();
  BlockHeader& header = block_at(heap, block);
  const std::uint64_t units = units_of(header);
  const bool sparse = is_sparse(header);
  const std::uint64_t bytes = units * unit_of(region_of(heap, block));
  const bool punch = !decommitted && bytes >= kLarge && (sparse || should_punch(heap, bytes));
  if (!punch) {
    push_free(change, block, units, sparse);
    return {};
  }
  // To return much memory takes long, and everyone would wait: keep the block until it is done.
  const Offset keeper = self();
  if (keeper != 0 && keeper != block && can_own(heap, keeper)) {
    change.set(header.holds, 1);
    change.set(header.state, state_word(State::used, units, true));
    attach(change, hold_id_in(heap, block), block, keeper, true);
    return {.decommit = hold_id_in(heap, block)};
  }
  // This process is no one yet, or no longer: all wait.
  push_free(change, block, units, true);
  return {.punch = block};
}

bool can_own(Header& heap, Offset owner) noexcept {
  return owner != 0 && plausible(heap, owner) && state_of(block_at(heap, owner)) == State::used;
}

HoldId make_used(Transaction& change, Offset block, std::uint64_t units, bool sparse,
                 Offset owner) noexcept {
  Header& heap = change.heap();
  BlockHeader& header = block_at(heap, block);
  change.prepare(header.holds, 1);
  change.prepare(header.first, 0);
  attach(change, hold_id_in(heap, block), block, owner, false);
  change.set(header.state, state_word(State::used, units, sparse));
  return hold_id_in(heap, block);
}

void attach(Transaction& change, HoldId hold_id, Offset target, Offset owner, bool live) noexcept {
  Header& heap = change.heap();
  HoldRecord& record = record_at(heap, hold_id);
  BlockHeader& holder = block_at(heap, owner);
  const HoldId next = load(holder.first);
  if (live) {
    change.set(record.target, target);
    change.set(record.next, next);
    change.set(record.prev, 0);
    change.set(record.owner, owner);
  } else {
    change.prepare(record.target, target);
    change.prepare(record.next, next);
    change.prepare(record.prev, 0);
    change.prepare(record.owner, owner);
  }
  if (next != 0) change.set(record_at(heap, next).prev, hold_id);
  change.set(holder.first, hold_id);
}

void detach(Transaction& change, HoldId hold_id) noexcept {
  Header& heap = change.heap();
  HoldRecord& record = record_at(heap, hold_id);
  const HoldId next = load(record.next);
  const HoldId prev = load(record.prev);
  Word& link = prev != 0 ? record_at(heap, prev).next : block_at(heap, load(record.owner)).first;
  change.set(link, next);
  if (next != 0) change.set(record_at(heap, next).prev, prev);
  change.set(record.owner, 0);
}

PendingWork drop_hold(Transaction& change, HoldId hold_id, bool decommitted) noexcept {
  Header& heap = change.heap();
  const Offset target = load(record_at(heap, hold_id).target);
  BlockHeader& header = block_at(heap, target);
  detach(change, hold_id);
  if (is_finalized(header) && load(header.holds) == 1) {
    attach(change, hold_id, target, load(heap.finalization), true);
    return {};
  }
  const Word left = load(header.holds) - 1;
  change.set(header.holds, left);
  const Offset home = block_of(heap, hold_id);
  if (home != target) push_free(change, home, 0, false);
  if (left != 0) return {};
  if (load(header.first) == 0) return give_back(change, target, decommitted);
  change.set(header.state, state_word(State::deferred, units_of(header), is_sparse(header)));
  change.set(header.link, load(heap.deferred));
  change.set(heap.deferred, target);
  return {};
}

}  // namespace procession::heap
