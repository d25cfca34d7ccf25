// What callers see of the allocator and of holds: checks, the mutex, and what is done without it.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "heap/allocator.hpp"
#include "heap/backing.hpp"
#include "heap/circles.hpp"
#include "heap/deferred_release.hpp"
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
  platform::write_to_stderr(std::string("procession: shared heap: ") + what + " (hold id " +
                            std::to_string(which) + ")\n");
  std::abort();
}

/// Ends the program when `hold_id` names no hold: it would go on with the memory of others.
void check_hold_id(Header& heap, HoldId hold_id) noexcept {
  const Offset block = block_of(heap, hold_id);
  if (!plausible(heap, block) || block == kRoot) die("no such hold", hold_id);
  const State state = state_of(block_at(heap, block));
  if ((state != State::used && state != State::record) ||
      load(record_at(heap, hold_id).owner) == 0) {
    die("this hold was dropped before", hold_id);
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
  if (load(heap.deferred) != 0) [[unlikely]]
    release_deferred(heap);
  const Taken taken = take_used(heap, region, units, owner);
  if (taken.block == 0) [[unlikely]]
    return taken;
  if (taken.sparse) {
    // A process may have been killed between the decision to punch and the deed.
    if (zeroed && !taken.fresh) punch_payload(heap, taken.block, taken.units * unit_of(region));
    if (!fill(heap, taken)) {
      drop(hold_id_in(heap, taken.block));
      return {.no_memory = true};
    }
  }
  if (zeroed && !taken.fresh) {
    zero_payload(heap, taken.block, taken.units * unit_of(region), taken.sparse);
  }
  return taken;
}

}  // namespace

HoldId allocate(std::size_t bytes, Offset owner, bool zeroed, Region region) {
  expect_possible(bytes);
  Header& heap = ensured_header();
  const std::uint64_t unit = unit_of(region);
  const std::uint64_t units = std::max<std::uint64_t>(1, (bytes + unit - 1) / unit);
  for (bool again = false;; again = true) {
    const Taken taken = try_allocate(heap, region, units, owner, zeroed);
    if (taken.block != 0) [[likely]]
      return hold_id_in(heap, taken.block);
    if (again || !reclaim()) throw_out_of_memory(heap, region, bytes, !taken.no_memory);
  }
}

Offset target(HoldId hold_id) noexcept {
  return hold_id == 0 ? 0 : load(record_at(header(), hold_id).target);
}

Offset owner(HoldId hold_id) noexcept {
  return hold_id == 0 ? 0 : load(record_at(header(), hold_id).owner);
}

std::size_t capacity(Offset block) noexcept {
  return static_cast<std::size_t>(bytes_of(header(), block));
}

namespace {

struct Held {
  HoldId hold_id = 0;      // 0: there is no room for the record
  bool no_memory = false;  // in the system
};

Held try_hold(Header& heap, Offset block, Offset owner) {
  const Guard guard(heap);
  if (!is_block(heap, block) || !can_own(heap, block)) throw_no_block("be held", block);
  check_owner(heap, owner);
  BlockHeader& target = block_at(heap, block);
  Transaction change(heap);
  HoldId hold_id = hold_id_in(heap, block);
  if (block == kRoot || load(target.hold.owner) != 0) {
    Taken record = take(change, Region::library, 0);
    if (record.block == 0 && !record.no_memory) record = take_harder(change, Region::library, 0);
    if (record.block == 0) return {0, record.no_memory};
    hold_id = hold_id_in(heap, record.block);
    change.set(block_at(heap, record.block).state, state_word(State::record, 0, false));
  }
  change.set(target.holds, load(target.holds) + 1);
  attach(change, hold_id, block, owner, true);
  change.commit();
  return {hold_id};
}

}  // namespace

HoldId hold(Offset block, Offset owner) {
  Header& heap = ensured_header();
  for (bool again = false;; again = true) {
    const Held held = try_hold(heap, block, owner);
    if (held.hold_id != 0) [[likely]]
      return held.hold_id;
    if (again || !reclaim()) {
      throw_out_of_memory(heap, Region::library, sizeof(BlockHeader), !held.no_memory);
    }
  }
}

bool reclaim() noexcept {
  if (!exists()) return false;
  // Who reaps needs no memory; but a fault in that would not end.
  static thread_local bool under_way = false;
  if (under_way) return false;
  under_way = true;
  const bool dead = reap_dead_processes != nullptr && reap_dead_processes();
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
bool is_own(Header& heap, HoldId hold_id) noexcept {
  const State state = state_of(block_at(heap, block_of(heap, hold_id)));
  return (state == State::used || state == State::record) &&
         load(record_at(heap, hold_id).owner) == self();
}

/// Nothing is done where `may(heap)` is false.
template <class May>
bool drop_if(HoldId hold_id, const May& may) noexcept {
  if (hold_id == 0) return false;
  Header& heap = header();
  bool last = false;
  drop_by(heap, [&](Transaction& change) {
    if (!may(heap)) return PendingWork{};
    check_hold_id(heap, hold_id);
    last = load(block_at(heap, load(record_at(heap, hold_id).target)).holds) == 1;
    return drop_hold(change, hold_id, false);
  });
  finalize_queued(heap);
  return last;
}

}  // namespace

bool drop(HoldId hold_id) noexcept {
  return drop_if(hold_id, [](Header&) { return true; });
}

bool drop_own(HoldId hold_id) noexcept {
  return drop_if(hold_id, [&](Header& heap) {
    return !forked.load(std::memory_order_relaxed) || is_own(heap, hold_id);
  });
}

namespace {

void move_hold(Transaction& change, HoldId hold_id, Offset new_owner) {
  Header& heap = change.heap();
  check_hold_id(heap, hold_id);
  check_owner(heap, new_owner);
  const Offset target = load(record_at(heap, hold_id).target);
  detach(change, hold_id);
  attach(change, hold_id, target, new_owner, true);
}

}  // namespace

void move(HoldId hold_id, Offset new_owner) {
  Header& heap = header();
  const Guard guard(heap);
  Transaction change(heap);
  move_hold(change, hold_id, new_owner);
  change.commit();
}

void move(HoldId hold_id, Offset new_owner, std::uint64_t* word, std::uint64_t value) {
  Header& heap = header();
  const Guard guard(heap);
  Transaction change(heap);
  move_hold(change, hold_id, new_owner);
  change.set(*word, value);
  change.commit();
}

bool move_if(HoldId hold_id, Offset new_owner, std::uint64_t* word, std::uint64_t expected,
             std::uint64_t value) {
  return move_if(hold_id, new_owner, word, expected, value, 0, 0);
}

bool move_if(HoldId hold_id, Offset new_owner, std::uint64_t* word, std::uint64_t expected,
             std::uint64_t value, const std::uint32_t& mark, std::uint32_t expected_mark) {
  Header& heap = header();
  const Guard guard(heap);
  if (load(*word) != expected || mark != expected_mark) return false;
  Transaction change(heap);
  move_hold(change, hold_id, new_owner);
  change.set(*word, value);
  change.commit();
  return true;
}

Offset root() noexcept { return kRoot; }

Block::Block(std::size_t bytes, bool zeroed, Region region) {
  ensure();
  hold_id_ = allocate(bytes, self(), zeroed, region);
}

}  // namespace procession::heap
