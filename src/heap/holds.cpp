#include "heap/holds.hpp"

#include "heap/allocator.hpp"
#include "heap/heap.hpp"

namespace procession::heap {

Aftermath give_back(Transaction& change, Offset block, bool washed) noexcept {
  Header& heap = change.heap();
  BlockHeader& header = block_at(heap, block);
  const std::uint64_t units = units_of(header);
  const bool sparse = is_sparse(header);
  const std::uint64_t bytes = units * unit_of(region_of(heap, block));
  const bool punch = !washed && bytes >= kLarge && (sparse || should_punch(heap, bytes));
  if (!punch) {
    push_free(change, block, units, sparse);
    return {};
  }
  // To return much memory takes long, and everyone would wait: keep the block until it is done.
  const Offset keeper = self();
  if (keeper != 0 && keeper != block && can_own(heap, keeper)) {
    change.set(header.holds, 1);
    change.set(header.state, state_word(State::used, units, true));
    attach(change, ticket_in(heap, block), block, keeper, true);
    return {.wash = ticket_in(heap, block)};
  }
  // This process is no one yet, or no longer: all wait.
  push_free(change, block, units, true);
  return {.punch = block};
}

bool can_own(Header& heap, Offset owner) noexcept {
  return owner != 0 && plausible(heap, owner) && state_of(block_at(heap, owner)) == State::used;
}

Ticket make_used(Transaction& change, Offset block, std::uint64_t units, bool sparse,
                 Offset owner) noexcept {
  Header& heap = change.heap();
  BlockHeader& header = block_at(heap, block);
  change.prepare(header.holds, 1);
  change.prepare(header.first, 0);
  attach(change, ticket_in(heap, block), block, owner, false);
  change.set(header.state, state_word(State::used, units, sparse));
  return ticket_in(heap, block);
}

void attach(Transaction& change, Ticket ticket, Offset target, Offset owner, bool live) noexcept {
  Header& heap = change.heap();
  HoldRecord& record = record_at(heap, ticket);
  BlockHeader& holder = block_at(heap, owner);
  const Ticket next = load(holder.first);
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
  if (next != 0) change.set(record_at(heap, next).prev, ticket);
  change.set(holder.first, ticket);
}

void detach(Transaction& change, Ticket ticket) noexcept {
  Header& heap = change.heap();
  HoldRecord& record = record_at(heap, ticket);
  const Ticket next = load(record.next);
  const Ticket prev = load(record.prev);
  Word& link = prev != 0 ? record_at(heap, prev).next : block_at(heap, load(record.owner)).first;
  change.set(link, next);
  if (next != 0) change.set(record_at(heap, next).prev, prev);
  change.set(record.owner, 0);
}

Aftermath drop_hold(Transaction& change, Ticket ticket, bool washed) noexcept {
  Header& heap = change.heap();
  const Offset target = load(record_at(heap, ticket).target);
  BlockHeader& header = block_at(heap, target);
  detach(change, ticket);
  if (is_finalized(header) && load(header.holds) == 1) {
    attach(change, ticket, target, load(heap.finalization), true);
    return {};
  }
  const Word left = load(header.holds) - 1;
  change.set(header.holds, left);
  const Offset home = block_of(heap, ticket);
  if (home != target) push_free(change, home, 0, false);
  if (left != 0) return {};
  if (load(header.first) == 0) return give_back(change, target, washed);
  change.set(header.state, state_word(State::zombie, units_of(header), is_sparse(header)));
  change.set(header.link, load(heap.zombies));
  change.set(heap.zombies, target);
  return {};
}

}  // namespace procession::heap
