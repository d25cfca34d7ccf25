#include "process/record.hpp"

#include <chrono>
#include <string>
#include <thread>

#include "heap/root_words.hpp"
#include "platform/spawn.hpp"
#include "process/copy_check.hpp"
#include "process/names.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {

/// The tree's list of records. Its words are tickets, 0 where free.
struct Directory {
  static constexpr std::size_t kRoom = 32768;
  std::uint64_t used;     ///< no word at or behind this index was ever used
  std::uint64_t orphans;  ///< 1: see expects_orphans
  std::uint64_t tickets[kRoom];
};

Directory& directory() {
  return heap::shared_by_tree<Directory>(&heap::RootWords::processes, [](Directory&) {});
}

std::uint64_t used(Directory& all) { return heap::glance(all.used); }

void note_used(Directory& all, std::uint64_t count) {
  const std::atomic_ref<std::uint64_t> word(all.used);
  std::uint64_t known = word.load();
  while (known < count && !word.compare_exchange_weak(known, count)) {
  }
}

}  // namespace

bool Record::take(const Claim& claim, int pid) {
  Record& record = record_at(claim.record);
  std::uint64_t asked = word(State::requested, claim.attempt, claim.serial);
  return record.life_.compare_exchange_strong(
      asked, word(State::running, claim.attempt, static_cast<std::uint32_t>(pid)));
}

bool Record::stands(const Claim& claim) {
  return record_at(claim.record).life_ == word(State::requested, claim.attempt, claim.serial);
}

bool Record::cancel(std::uint16_t attempt) {
  std::uint64_t asked = word(State::requested, attempt, serial);
  return life_.compare_exchange_strong(asked, word(State::cancelled, attempt, serial));
}

bool Record::cancel_seen(std::uint64_t life) {
  if (state_of(life) != State::requested) return state_of(life) == State::cancelled;
  const std::uint64_t cancelled =
      (life & ~std::uint64_t{0xffff}) | static_cast<std::uint64_t>(State::cancelled);
  return life_.compare_exchange_strong(life, cancelled) || life == cancelled;
}

void Record::end(int exitcode) {
  exitcode_ = exitcode;
  life_ = word(State::ended, 0, static_cast<std::uint32_t>(pid()));
}

std::optional<int> Record::exitcode() const {
  return state() == State::ended ? std::optional<int>(exitcode_) : std::nullopt;
}

namespace {

/// 0 when the directory is full.
heap::Ticket list(heap::Block& block) {
  Directory& all = directory();
  for (std::size_t i = 0; i < Directory::kRoom; ++i) {
    if (heap::glance(all.tickets[i]) != 0) {
      continue;
    }
    note_used(all, i + 1);
    // Listed and handed to the root in one step: killed before it, this process still holds the
    // block.
    if (heap::move_if(block.ticket(), heap::root(), &all.tickets[i], 0, block.ticket())) {
      return block.release();
    }
  }
  return 0;
}

}  // namespace

bool expects_orphans() noexcept { return heap::glance(directory().orphans) != 0; }

heap::Ticket make_record(bool tied) {
  static std::atomic<std::uint32_t> made{0};
  if (expects_orphans()) {
    bury_orphans();
  }
  heap::Block block(heap::kRecordBytes, true);
  Record& record = record_at(block.offset());
  record.maker = heap::self();
  record.tied = tied ? 1 : 0;
  record.serial = static_cast<std::uint32_t>(platform::process_id()) * 2654435761U + ++made;
  record.request(0);
  heap::Ticket ticket = list(block);
  if (ticket == 0) {
    bury_orphans();
    ticket = list(block);
  }
  if (ticket == 0) {
    throw ProcessError("cannot start a process: this process tree has " +
                       std::to_string(Directory::kRoom) + " processes already; end some first");
  }
  return ticket;
}

bool become_process(const Record::Claim& claim) {
  // Where a static object needed the heap, that was done before init().
  static constinit Record::Claim taken;
  if (taken.record == claim.record && taken.serial == claim.serial) {
    return true;
  }
  know_process();
  heap::set_self(claim.record);
  while (Record::stands(claim)) {
    try {
      heap::mark_alive(claim.record);
      break;
    } catch (const ProcessError&) {
      // Another process took this for its record, because the one it was made for was buried, and
      // will see in a moment that it is not.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  if (!Record::take(claim, platform::process_id())) {
    return false;
  }
  taken = claim;
  return true;
}

void become_unlisted_process(heap::Offset record) {
  become_process({record, record_at(record).serial});
}

void bury(heap::Ticket record, std::uint32_t serial) noexcept {
  Directory& all = directory();
  const heap::Offset place = heap::target(record);
  if (place == 0) return;  // it was buried, and something else is there
  const std::uint32_t& found = record_at(place).serial;
  const std::uint64_t end = used(all);
  for (std::size_t i = 0; i < end; ++i) {
    if (heap::glance(all.tickets[i]) != record) {
      continue;
    }
    // Taken off the list and made this process's own in one step, so that it is dropped once,
    // whoever else looks for the dead, and whoever is killed over it.
    if (heap::move_if(record, heap::self(), &all.tickets[i], record, 0, found, serial)) {
      heap::drop(record);
    }
    return;
  }
}

bool is_of_tree(int pid) noexcept {
  Directory& all = directory();
  const std::uint64_t end = used(all);
  for (std::size_t i = 0; i < end; ++i) {
    const heap::Ticket ticket = heap::glance(all.tickets[i]);
    const heap::Offset place = ticket != 0 ? heap::target(ticket) : 0;
    if (place == 0) continue;
    const std::uint64_t life = record_at(place).life();
    if (Record::state_of(life) == Record::State::running && static_cast<int>(life >> 32) == pid &&
        heap::glance(all.tickets[i]) == ticket) {
      return true;
    }
  }
  return false;
}

void bury_orphans() noexcept {
  Directory& all = directory();
  std::atomic_ref<std::uint64_t>(all.orphans).store(0);
  bool more = false;
  const std::uint64_t end = used(all);
  for (std::size_t i = 0; i < end; ++i) {
    const heap::Ticket ticket = heap::glance(all.tickets[i]);
    if (ticket == 0) {
      continue;
    }
    const heap::Offset place = heap::target(ticket);
    if (place == 0) continue;
    Record& record = record_at(place);
    const std::uint32_t serial = record.serial;
    const std::uint64_t life = record.life();
    const Record::State state = Record::state_of(life);
    const bool taken = state == Record::State::running || state == Record::State::ended;
    const heap::Offset maker = record.maker;
    const bool tied = record.tied != 0;
    if (heap::glance(all.tickets[i]) != ticket) {
      continue;  // buried meanwhile: what was read may be something else's
    }
    const bool orphaned = tied && maker != 0 && !heap::alive(maker);
    if (heap::alive(place)) {
      more = more || orphaned;
    } else if (taken || (orphaned && record.cancel_seen(life))) {
      bury(ticket, serial);
    }
  }
  if (more) {
    std::atomic_ref<std::uint64_t>(all.orphans).store(1);
  }
  sweep_names();
}

}  // namespace procession::process
