// Records of processes whose end nobody was told of.
#include <atomic>
#include <exception>

#include "platform/liveness.hpp"
#include "process/directory.hpp"
#include "process/names.hpp"
#include "process/record.hpp"

namespace procession {

namespace process {

namespace {

/// Of a process that nobody was told of the end of.
enum class Fate { kept, lives, reaped, expected };

/// True where it cannot be found out. A program that closes all its descriptors lives on without
/// the lock by which others see that.
bool may_be_alive(heap::Offset record) noexcept {
  try {
    if (heap::alive(record)) return true;
    const std::uint64_t life = record_at(record).life();
    const Record::State state = Record::state_of(life);
    return (state == Record::State::running || state == Record::State::ended) &&
           platform::maps_file(static_cast<int>(life >> 32), heap::descriptor());
  } catch (const std::exception&) {
    return true;
  }
}

/// Reaps what is listed in that place, if it is dead for certain, or if nobody else is left to
/// give up on its request. Who is to join it needs no more than its exit status.
Fate settle_listed(std::uint64_t& entry) noexcept {
  const heap::HoldId hold_id = heap::glance(entry);
  const heap::Offset place = hold_id != 0 ? heap::target(hold_id) : 0;
  if (place == 0) return Fate::kept;
  Record& record = record_at(place);
  const std::uint32_t serial = record.serial;
  const std::uint64_t life = record.life();
  const heap::Offset maker = record.maker;
  const std::uint32_t maker_serial = record.maker_serial;
  const bool tied = record.tied != 0;
  const bool plain_fork = record.plain_fork != 0;
  const platform::ForkMarkName mark = record.fork_mark;
  if (heap::glance(entry) != hold_id) {
    return Fate::kept;  // reaped meanwhile: what was read may be something else's
  }
  const bool orphaned = tied && maker != 0 && !lives(maker, maker_serial);
  if (may_be_alive(place)) return orphaned || plain_fork ? Fate::expected : Fate::lives;
  const Record::State state = Record::state_of(life);
  // A child closes the mark when it has taken the record: where it is gone and the record was not
  // taken before, nobody comes.
  if (state == Record::State::running || state == Record::State::ended ||
      ((orphaned || (plain_fork && platform::is_gone(mark))) && record.cancel_seen(life))) {
    return reap_listed(entry, hold_id, serial) ? Fate::reaped : Fate::kept;
  }
  return plain_fork && mark.number != 0 ? Fate::expected : Fate::kept;
}

struct Reapings {
  std::size_t reaped = 0;
  std::size_t living = 0;
  std::size_t expected = 0;  ///< processes that nobody else will reap when they end
};

Reapings reap_listed_orphans() noexcept {
  Reapings count;
  Directory* const all = existing_directory();
  if (all == nullptr) return count;
  expect_orphans(*all, false);
  const std::uint64_t end = used_of(*all);
  for (std::size_t i = 0; i < end; ++i) {
    const Fate fate = settle_listed(all->hold_ids[i]);
    count.reaped += fate == Fate::reaped ? 1 : 0;
    count.living += fate == Fate::lives || fate == Fate::expected ? 1 : 0;
    count.expected += fate == Fate::expected ? 1 : 0;
  }
  if (count.expected != 0) {
    expect_orphans(*all, true);
  }
  return count;
}

}  // namespace

bool lives(heap::Offset record, std::uint32_t serial) noexcept {
  return record_at(record).serial == serial && may_be_alive(record);
}

bool expects_orphans() noexcept {
  Directory* const all = existing_directory();
  return all != nullptr && heap::glance(all->orphans) != 0;
}

std::size_t reap_orphans() noexcept {
  const Reapings reapings = reap_listed_orphans();
  sweep_names();
  return reapings.expected;
}

void tidy() noexcept {
  if (expects_orphans()) {
    reap_orphans();
  } else {
    sweep_names();
  }
}

void tidy_at_start() noexcept {
  // Each look costs a system call for each process that lives.
  static std::atomic<std::size_t> starts{0};
  static std::atomic<std::size_t> next_look{0};
  if (++starts <= next_look && !expects_orphans()) return;
  starts = 0;
  next_look = reap_listed_orphans().living;
  sweep_names();
}

}  // namespace process

// Names are not swept: their mutex may be held by who needs the memory.
bool heap::reap_dead_processes() noexcept { return process::reap_listed_orphans().reaped != 0; }

}  // namespace procession
