#include "process/record.hpp"

#include <string>

#include "heap/root_words.hpp"
#include "platform/spawn.hpp"
#include "process/names.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {

/// The tree's list of records. Its words are tickets, 0 where free.
struct Directory {
  static constexpr std::size_t kRoom = 32768;
  std::uint64_t used;  ///< no word at or behind this index was ever used
  std::uint64_t tickets[kRoom];
};

std::uint64_t load(std::uint64_t& word) {
  return std::atomic_ref<std::uint64_t>(word).load(std::memory_order_acquire);
}

Directory& directory() {
  return heap::shared_by_tree<Directory>(&heap::RootWords::processes, [](Directory&) {});
}

std::uint64_t used(Directory& all) { return load(all.used); }

void note_used(Directory& all, std::uint64_t count) {
  const std::atomic_ref<std::uint64_t> word(all.used);
  std::uint64_t known = word.load();
  while (known < count && !word.compare_exchange_weak(known, count)) {
  }
}

}  // namespace

bool Record::take(std::uint16_t attempt, int pid) {
  std::uint64_t asked = word(State::requested, attempt, 0);
  if (life_.compare_exchange_strong(asked, word(State::running, attempt, pid))) {
    return true;
  }
  stray_ = pid;
  return false;
}

bool Record::cancel(std::uint16_t attempt) {
  std::uint64_t asked = word(State::requested, attempt, 0);
  return life_.compare_exchange_strong(asked, word(State::cancelled, attempt, 0));
}

void Record::end(int exitcode) {
  exitcode_ = exitcode;
  life_ = word(State::ended, 0, pid());
}

std::optional<int> Record::exitcode() const {
  return state() == State::ended ? std::optional<int>(exitcode_) : std::nullopt;
}

namespace {

/// 0 when the directory is full.
heap::Ticket list(heap::Block& block) {
  Directory& all = directory();
  for (std::size_t i = 0; i < Directory::kRoom; ++i) {
    if (load(all.tickets[i]) != 0) {
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

heap::Ticket make_record() {
  heap::Block block(heap::kRecordBytes, true);
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

void become_unlisted_process(heap::Offset record) {
  record_at(record).request(0);
  heap::set_self(record);
  heap::mark_alive(record);
  record_at(record).take(0, platform::process_id());
}

void bury(heap::Ticket record) noexcept {
  Directory& all = directory();
  const std::uint64_t end = used(all);
  for (std::size_t i = 0; i < end; ++i) {
    if (load(all.tickets[i]) != record) {
      continue;
    }
    // Taken off the list and made this process's own in one step, so that it is dropped once,
    // whoever else looks for the dead, and whoever is killed over it.
    if (heap::move_if(record, heap::self(), &all.tickets[i], record, 0)) {
      heap::drop(record);
    }
    return;
  }
}

void bury_orphans() noexcept {
  Directory& all = directory();
  const std::uint64_t end = used(all);
  for (std::size_t i = 0; i < end; ++i) {
    const heap::Ticket ticket = load(all.tickets[i]);
    if (ticket == 0) {
      continue;
    }
    const heap::Offset record = heap::target(ticket);
    const Record::State state = record_at(record).state();
    const bool taken = state == Record::State::running || state == Record::State::ended;
    if (taken && !heap::alive(record)) {
      bury(ticket);
    }
  }
  sweep_names();
}

}  // namespace procession::process
