// What callers see of the allocator and of holds: checks, the mutex, and what is done without it.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "heap/allocator.hpp"
#include "heap/backing.hpp"
#include "heap/burial.hpp"
#include "heap/circles.hpp"
#include "heap/finalization.hpp"
#include "heap/heap.hpp"
#include "heap/holds.hpp"
#include "heap/mapping.hpp"
#include "heap/out_of_memory.hpp"
#include "heap/rebuild.hpp"
#include "platform/report.hpp"
#include "procession/error.hpp"

namespace procession::heap {
namespace {

[[noreturn]] void die(const char* what, Word which) noexcept {
  platform::write_to_stderr(std::string("procession: shared heap: ") + what + " (ticket " +
                            std::to_string(which) + ")\n");
  std::abort();
}

/// Ends the program when `ticket` names no hold: it would go on with the memory of others.
void check_ticket(Header& heap, Ticket ticket) noexcept {
  const Offset block = block_of(heap, ticket);
  if (!plausible(heap, block) || block == kRoot) die("no such hold", ticket);
  const State state = state_of(block_at(heap, block));
  if ((state != State::used && state != State::record) ||
      load(record_at(heap, ticket).owner) == 0) {
    die("this hold was dropped before", ticket);
  }
}

[[noreturn]] void throw_no_block(const char* role, Offset block) {
  throw ProcessError("the shared heap has no block in use at " + std::to_string(block) +
                     ", which " + "was to " + role +
                     "; the object was given back, or the handle is damaged");
}

void check_owner(Header& heap, Offset owner) {
  if (!can_own(heap, owner)) throw_no_block("own a hold", owner);
}

/// The last resorts of an allocation that found the reserve full.
Taken take_harder(Transaction& change, Region region, std::uint64_t units) noexcept {
  Taken taken = take_by_splitting(change, region, units);
  if (taken.block != 0 || taken.no_memory) return taken;
  change.commit();  // of nothing: the steps below have transactions of their own
  rebuild(change.heap());
  return take_by_splitting(change, region, units);
}

/// Takes a block and makes it used, all but its inside if it is sparse.
Taken take_used(Header& heap, Region region, std::uint64_t units, Offset owner) {
  const Guard guard(heap);
  check_owner(heap, owner);
  Transaction change(heap);
  Taken taken = take(change, region, units);
  if (taken.block == 0 && !taken.no_memory) [[unlikely]]
    taken = take_harder(change, region, units);
  if (taken.block == 0) return taken;
  make_used(change, taken.block, taken.units, taken.sparse, owner);
  change.commit();
  return taken;
}

/// Brings back the memory inside a sparse block that was just taken. False: there is none.
bool fill(Header& heap, const Taken& taken) noexcept {
  if (!back_payload(heap, taken.block, bytes_of(heap, taken.block))) return false;
  const Guard guard(heap);
  Transaction change(heap);
  change.set(block_at(heap, taken.block).state, state_word(State::used, taken.units, false));
  change.commit();
  return true;
}

}  // namespace

void expect_possible(std::size_t bytes) {
  Header& heap = ensured_header();
  if (bytes > load(heap.reserve)) throw_out_of_memory(heap, Region::users, bytes, true);
}

namespace {

/// One attempt. Without a block, `no_memory` tells why.
Taken try_allocate(Header& heap, Region region, std::uint64_t units, Offset owner, bool zeroed) {
  if (load(heap.zombies) != 0) [[unlikely]]
    bury_all(heap);
  const Taken taken = take_used(heap, region, units, owner);
  if (taken.block == 0) [[unlikely]]
    return taken;
  if (taken.sparse) {
    // A process may have been killed between the decision to punch and the deed.
    if (zeroed && !taken.fresh) punch_payload(heap, taken.block, taken.units * unit_of(region));
    if (!fill(heap, taken)) {
      drop(ticket_in(heap, taken.block));
      return {.no_memory = true};
    }
  }
  if (zeroed && !taken.fresh) {
    zero_payload(heap, taken.block, taken.units * unit_of(region), taken.sparse);
  }
  return taken;
}

}  // namespace

Ticket allocate(std::size_t bytes, Offset owner, bool zeroed, Region region) {
  expect_possible(bytes);
  Header& heap = ensured_header();
  const std::uint64_t unit = unit_of(region);
  const std::uint64_t units = std::max<std::uint64_t>(1, (bytes + unit - 1) / unit);
  for (bool again = false;; again = true) {
    const Taken taken = try_allocate(heap, region, units, owner, zeroed);
    if (taken.block != 0) [[likely]]
      return ticket_in(heap, taken.block);
    if (again || !reclaim()) throw_out_of_memory(heap, region, bytes, !taken.no_memory);
  }
}

Offset target(Ticket ticket) noexcept {
  return ticket == 0 ? 0 : load(record_at(header(), ticket).target);
}

Offset owner(Ticket ticket) noexcept {
  return ticket == 0 ? 0 : load(record_at(header(), ticket).owner);
}

std::size_t capacity(Offset block) noexcept {
  return static_cast<std::size_t>(bytes_of(header(), block));
}

namespace {

struct Held {
  Ticket ticket = 0;       // 0: there is no room for the record
  bool no_memory = false;  // in the system
};

Held try_hold(Header& heap, Offset block, Offset owner) {
  const Guard guard(heap);
  if (!is_block(heap, block) || !can_own(heap, block)) throw_no_block("be held", block);
  check_owner(heap, owner);
  BlockHeader& target = block_at(heap, block);
  Transaction change(heap);
  Ticket ticket = ticket_in(heap, block);
  if (block == kRoot || load(target.hold.owner) != 0) {
    Taken record = take(change, Region::library, 0);
    if (record.block == 0 && !record.no_memory) record = take_harder(change, Region::library, 0);
    if (record.block == 0) return {0, record.no_memory};
    ticket = ticket_in(heap, record.block);
    change.set(block_at(heap, record.block).state, state_word(State::record, 0, false));
  }
  change.set(target.holds, load(target.holds) + 1);
  attach(change, ticket, block, owner, true);
  change.commit();
  return {ticket};
}

}  // namespace

Ticket hold(Offset block, Offset owner) {
  Header& heap = ensured_header();
  for (bool again = false;; again = true) {
    const Held held = try_hold(heap, block, owner);
    if (held.ticket != 0) [[likely]]
      return held.ticket;
    if (again || !reclaim()) {
      throw_out_of_memory(heap, Region::library, sizeof(BlockHeader), !held.no_memory);
    }
  }
}

bool reclaim() noexcept {
  if (!exists()) return false;
  // Who buries needs no memory; but a fault in that would not end.
  static thread_local bool under_way = false;
  if (under_way) return false;
  under_way = true;
  const bool dead = bury_dead_processes != nullptr && bury_dead_processes();
  const bool circles = collect_circles(header());
  under_way = false;
  return dead || circles;
}

std::uint64_t holds_on(Offset block) noexcept { return load(block_at(header(), block).holds); }

void settle() noexcept { const Guard guard(header()); }

std::uint64_t settled(const std::uint64_t& word) noexcept {
  const Guard guard(header());
  return word;
}

namespace {

/// Whether it names a hold of this process, and not one of its parent's, or of whoever came later.
bool is_own(Header& heap, Ticket ticket) noexcept {
  const State state = state_of(block_at(heap, block_of(heap, ticket)));
  return (state == State::used || state == State::record) &&
         load(record_at(heap, ticket).owner) == self();
}

/// Nothing is done where `may(heap)` is false.
template <class May>
bool drop_if(Ticket ticket, const May& may) noexcept {
  if (ticket == 0) return false;
  Header& heap = header();
  bool last = false;
  drop_by(heap, [&](Transaction& change) {
    if (!may(heap)) return Aftermath{};
    check_ticket(heap, ticket);
    last = load(block_at(heap, load(record_at(heap, ticket).target)).holds) == 1;
    return drop_hold(change, ticket, false);
  });
  finalize_queued(heap);
  return last;
}

}  // namespace

bool drop(Ticket ticket) noexcept {
  return drop_if(ticket, [](Header&) { return true; });
}

bool drop_own(Ticket ticket) noexcept {
  return drop_if(ticket, [&](Header& heap) {
    return !forked.load(std::memory_order_relaxed) || is_own(heap, ticket);
  });
}

namespace {

void move_hold(Transaction& change, Ticket ticket, Offset new_owner) {
  Header& heap = change.heap();
  check_ticket(heap, ticket);
  check_owner(heap, new_owner);
  const Offset target = load(record_at(heap, ticket).target);
  detach(change, ticket);
  attach(change, ticket, target, new_owner, true);
}

}  // namespace

void move(Ticket ticket, Offset new_owner) {
  Header& heap = header();
  const Guard guard(heap);
  Transaction change(heap);
  move_hold(change, ticket, new_owner);
  change.commit();
}

void move(Ticket ticket, Offset new_owner, std::uint64_t* word, std::uint64_t value) {
  Header& heap = header();
  const Guard guard(heap);
  Transaction change(heap);
  move_hold(change, ticket, new_owner);
  change.set(*word, value);
  change.commit();
}

bool move_if(Ticket ticket, Offset new_owner, std::uint64_t* word, std::uint64_t expected,
             std::uint64_t value) {
  return move_if(ticket, new_owner, word, expected, value, 0, 0);
}

bool move_if(Ticket ticket, Offset new_owner, std::uint64_t* word, std::uint64_t expected,
             std::uint64_t value, const std::uint32_t& mark, std::uint32_t expected_mark) {
  Header& heap = header();
  const Guard guard(heap);
  if (load(*word) != expected || mark != expected_mark) return false;
  Transaction change(heap);
  move_hold(change, ticket, new_owner);
  change.set(*word, value);
  change.commit();
  return true;
}

Offset root() noexcept { return kRoot; }

Block::Block(std::size_t bytes, bool zeroed, Region region) {
  ensure();
  ticket_ = allocate(bytes, self(), zeroed, region);
}

}  // namespace procession::heap
