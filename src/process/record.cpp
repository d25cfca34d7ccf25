#include "process/record.hpp"

#include <chrono>
#include <string>
#include <thread>

#include "heap/root_words.hpp"
#include "platform/copy_check.hpp"
#include "platform/spawn.hpp"
#include "process/directory.hpp"
#include "procession/error.hpp"

namespace procession::process {

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
heap::HoldId list(heap::Block& block) {
  Directory& all = directory();
  for (std::size_t i = 0; i < Directory::kRoom; ++i) {
    if (heap::glance(all.hold_ids[i]) != 0) {
      continue;
    }
    note_use_of(all, i + 1);
    // Listed and handed to the root in one step: killed before it, this process still holds the
    // block.
    if (heap::move_if(block.hold_id(), heap::root(), &all.hold_ids[i], 0, block.hold_id())) {
      return block.release();
    }
  }
  return 0;
}

/// Counted for the whole tree, and not made of process ids, which are used again. 0 is that of the
/// tree's first process. They begin anew after four thousand million processes.
std::uint32_t next_serial() noexcept {
  const std::atomic_ref<std::uint64_t> made(heap::at<heap::RootWords>(heap::root())->records);
  std::uint32_t serial = 0;
  while (serial == 0)
    serial = static_cast<std::uint32_t>(made.fetch_add(1) + 1);
  return serial;
}

/// Lists a new record of which `describe` says the rest.
template <class Describe>
heap::HoldId make_and_list(const Describe& describe) {
  heap::Block block(heap::kRecordBytes, true);
  Record& record = record_at(block.offset());
  record.maker = heap::self();
  record.maker_serial = record_at(record.maker).serial;
  record.serial = next_serial();
  describe(record);
  record.request(0);
  heap::HoldId hold_id = list(block);
  if (hold_id == 0) {
    reap_orphans();
    hold_id = list(block);
  }
  if (hold_id == 0) {
    throw ProcessError("cannot start a process: this process tree has " +
                       std::to_string(Directory::kRoom) + " processes already; end some first");
  }
  return hold_id;
}

}  // namespace

heap::HoldId make_record(bool tied) {
  tidy_at_start();
  return make_and_list([tied](Record& record) { record.tied = tied ? 1 : 0; });
}

heap::HoldId make_record(const platform::ForkMarkName& mark) {
  // Each look at all of them costs a system call for each that lives: not with every fork, where
  // there are many, but so often that no more dead ones are left than there are living ones.
  static std::atomic<std::size_t> forks{0};
  static std::atomic<std::size_t> next_look{0};
  if (++forks > next_look) {
    forks = 0;
    next_look = reap_orphans();
  }
  const heap::HoldId hold_id = make_and_list([&mark](Record& record) {
    record.plain_fork = 1;
    record.fork_mark = mark;
  });
  // Once it is listed: who looks meanwhile, and says that none is expected, has not seen it.
  expect_orphans(directory(), true);
  return hold_id;
}

bool become_process(const Record::Claim& claim) {
  // Where a static object needed the heap, that was done before init().
  static constinit Record::Claim taken;
  if (taken.record == claim.record && taken.serial == claim.serial) {
    return true;
  }
  platform::know_process();
  heap::set_self(claim.record);
  while (Record::stands(claim)) {
    try {
      heap::mark_alive(claim.record);
      break;
    } catch (const ProcessError&) {
      // Another process took this for its record, because the one it was made for was reaped, and
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

bool reap_listed(std::uint64_t& entry, heap::HoldId record, std::uint32_t serial) noexcept {
  const heap::Offset place = heap::target(record);
  if (place == 0) return false;  // it was reaped, and something else is there
  const std::uint32_t& found = record_at(place).serial;
  // What it held goes even where its parent keeps the record itself, to read the exit code from;
  // and goes first, so that whoever is killed here leaves the record listed.
  if (heap::holds_on(place) > 1) heap::drop_holds_of(place, entry, record, found, serial);
  // Taken off the list and made this process's own in one step, so that it is dropped once,
  // whoever else looks for the dead, and whoever is killed over it.
  if (!heap::move_if(record, heap::self(), &entry, record, 0, found, serial)) return false;
  heap::drop(record);
  return true;
}

void reap_record(heap::HoldId record, std::uint32_t serial) noexcept {
  Directory* const all = existing_directory();
  const std::uint64_t end = all != nullptr ? used_of(*all) : 0;
  for (std::size_t i = 0; i < end; ++i) {
    if (heap::glance(all->hold_ids[i]) == record) {
      static_cast<void>(reap_listed(all->hold_ids[i], record, serial));
      return;
    }
  }
}

bool is_of_tree(int pid) noexcept {
  Directory* const all = existing_directory();
  const std::uint64_t end = all != nullptr ? used_of(*all) : 0;
  for (std::size_t i = 0; i < end; ++i) {
    const heap::HoldId hold_id = heap::glance(all->hold_ids[i]);
    const heap::Offset place = hold_id != 0 ? heap::target(hold_id) : 0;
    if (place == 0) continue;
    const std::uint64_t life = record_at(place).life();
    if (Record::state_of(life) == Record::State::running && static_cast<int>(life >> 32) == pid &&
        lives(place, record_at(place).serial) && heap::glance(all->hold_ids[i]) == hold_id) {
      return true;
    }
  }
  return false;
}

}  // namespace procession::process
