#include "process/names.hpp"

#include <atomic>
#include <cstring>
#include <random>
#include <stdexcept>

#include "heap/root_words.hpp"
#include "platform/mutex.hpp"
#include "platform/named_memory.hpp"
#include "process/janitor.hpp"
#include "process/record.hpp"
#include "procession/error.hpp"

namespace procession {

namespace process {

namespace {

/// The block was made under a name that nobody else can have meant, and only then got its own. So
/// of a name that was taken away and given to another block since, nothing is removed: the identity
/// tells.
struct Entry {
  detail::ObjectHeader header;
  std::atomic<std::uint64_t> identity;  ///< 0: there is no block yet
  std::atomic<heap::Offset> next;       ///< in the chain of its bucket; 0: the last
  char temporary[40];                   ///< at random
  char name[platform::kLongestMemoryName + 1];
};

/// Entries by identity, and the owner of the last holds on them. A chain changes by one store, so
/// whoever is killed over it leaves one that is whole.
struct Table {
  static constexpr std::size_t kBuckets = 8192;
  /// Held by whoever looks for an entry, adds one, removes a name or takes an entry off.
  platform::RobustMutex mutex;
  std::atomic<heap::Offset> buckets[kBuckets];

  std::atomic<heap::Offset>& bucket(std::uint64_t identity) { return buckets[identity % kBuckets]; }
};

Table& table() {
  return heap::shared_by_tree<Table>(&heap::RootWords::names,
                                     [](Table& made) { made.mutex.init(); });
}

Table* existing_table() { return heap::shared_by_tree_if_made<Table>(&heap::RootWords::names); }

/// Hints for tests.
std::atomic<std::uint64_t> looks = 0;

/// Whether there are entries that nobody has any more.
bool has_unused(Table& all) noexcept { return heap::first_hold_of(heap::offset_of(&all)) != 0; }

class Guard {
 public:
  explicit Guard(Table& table) : table_(table) {
    if (table_.mutex.lock().previous_owner_died) table_.mutex.make_consistent();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  /// What others have let go meanwhile they have left to this thread.
  ~Guard() {
    table_.mutex.unlock();
    if constexpr (!platform::kUnlockIsFence) platform::full_fence();
    if (has_unused(table_)) heap::finalize_blocks();
  }

 private:
  Table& table_;
};

Entry& entry_at(heap::Offset offset) { return *heap::at<Entry>(offset); }

std::string random_name() {
  std::random_device source;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string name = "psm_";
  for (int i = 0; i < 16; ++i) {
    name += kDigits[source() % 16];
  }
  return name;
}

void check_name(const std::string& name) {
  const bool plain = !name.empty() && name != "." && name != ".." &&
                     name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  if (!plain || name.size() > platform::kLongestMemoryName) {
    throw std::invalid_argument(
        "a block of shared memory was to be named '" + name + "'; a name has 1 to " +
        std::to_string(platform::kLongestMemoryName) + " characters and no slash");
  }
}

/// Of a block that has no name yet. When nobody has the entry any more, the name goes.
heap::Block make_entry(Table& all, const std::string& temporary, const std::string& name) {
  heap::Block made(sizeof(Entry), true);
  Entry& entry = entry_at(made.offset());
  entry.header = kNameHeader;
  std::strcpy(entry.temporary, temporary.c_str());
  std::strcpy(entry.name, name.c_str());
  heap::finalize(made.offset(), heap::offset_of(&all));
  return made;
}

/// From now on the block's entry is found by its identity.
void list(Table& all, heap::Offset offset, std::uint64_t identity) {
  Entry& entry = entry_at(offset);
  entry.identity = identity;
  const Guard guard(all);
  std::atomic<heap::Offset>& bucket = all.bucket(identity);
  entry.next = bucket.load();
  bucket = offset;
}

/// The entry of that block, or 0. Under the mutex.
heap::Offset find(Table& all, std::uint64_t identity) noexcept {
  heap::Offset offset = all.bucket(identity);
  for (; offset != 0 && entry_at(offset).identity != identity; offset = entry_at(offset).next)
    ++looks;
  return offset;
}

/// Does nothing to an entry that is not in its chain. Under the mutex.
void take_off(Table& all, heap::Offset offset) noexcept {
  std::atomic<heap::Offset>* link = &all.bucket(entry_at(offset).identity);
  for (; *link != 0 && *link != offset; link = &entry_at(*link).next)
    ++looks;
  if (*link == offset) *link = entry_at(offset).next.load();
}

/// Takes the block's name away, if it has one. Whether it had.
bool remove_name(Entry& entry) noexcept {
  const std::uint64_t identity = entry.identity;
  if (identity == 0) return platform::remove_named_memory(entry.temporary);
  const std::string aside = entry.temporary + std::string("_unlinked");
  const bool removed = platform::remove_named_memory(entry.name, identity, aside);
  return platform::remove_named_memory(entry.temporary, identity, aside) || removed;
}

[[noreturn]] void throw_missing(const std::string& asked, const std::string& name) {
  throw ProcessError(
      "asked to " + asked + " the shared memory '" + name +
      "', but there is none of that name: it was unlinked, its last owner has ended, "
      "or the name is misspelt; make it with SharedMemory::create");
}

[[noreturn]] void throw_not_removed(const std::string& name, std::uint64_t identity) {
  const std::uint64_t found = platform::named_memory_identity(name);
  if (found == 0) throw_missing("unlink", name);
  const std::string asked = "asked to unlink the shared memory '" + name + "', but ";
  if (found == identity) {
    throw ProcessError(asked + "this user may not remove it from /dev/shm; let its owner do it");
  }
  throw ProcessError(asked +
                     "another block has that name by now, and keeps it: this one has lost it "
                     "before, by an unlink() of somebody else's or the end of its last owner");
}

/// A file of that size under a name that is nobody else's, for a block that is to have the other.
platform::Descriptor make_file(const std::string& name, std::uint64_t size,
                               const std::string& wanted) {
  platform::Descriptor file;
  try {
    file = platform::create_named_memory(name, size, wanted);
  } catch (const OutOfMemory&) {
    // Perhaps what processes had that have ended is in the way.
    heap::reclaim();
    sweep_names();
    file = platform::create_named_memory(name, size, wanted);
  }
  if (!file) {
    throw ProcessError("cannot make a named block of shared memory: '" + name +
                       "', a random name, is taken; try again");
  }
  return file;
}

/// False when the name is taken.
bool give_name(const std::string& temporary, const std::string& name) {
  if (platform::rename_named_memory(temporary, name)) return true;
  reap_orphans();  // whose it was may have ended
  return platform::rename_named_memory(temporary, name);
}

/// Removes the names of blocks that nobody has any more. Under the mutex.
void remove_unused(Table& all) noexcept {
  while (const heap::HoldId hold_id = heap::first_hold_of(heap::offset_of(&all))) {
    ++looks;
    const heap::Offset offset = heap::target(hold_id);
    if (heap::holds_on(offset) != 1) {
      heap::drop(hold_id);  // somebody has attached to it since
      continue;
    }
    static_cast<void>(remove_name(entry_at(offset)));
    take_off(all, offset);
    heap::drop_finalized(hold_id);
  }
}

}  // namespace

NamedMemory create_named(std::uint64_t size, const std::optional<std::string>& name) {
  if (size == 0) {
    throw std::invalid_argument(
        "a block of shared memory was to have 0 bytes; ask for one byte at least");
  }
  if (name) {
    check_name(*name);
  }
  Table& all = table();
  {
    const Guard guard(all);
    require_janitor();
  }
  NamedMemory made;
  const std::string temporary = random_name();
  made.name = name.value_or(temporary);
  made.entry = make_entry(all, temporary, made.name);
  made.file = make_file(temporary, size, made.name);
  made.identity = platform::memory_identity(made.file.get());
  list(all, made.entry.offset(), made.identity);
  if (name && !give_name(temporary, *name)) {
    made.entry = {};
    sweep_names();
    throw ProcessError("asked to create the shared memory '" + *name +
                       "', but there is one of that name; use SharedMemory::attach, or another "
                       "name");
  }
  return made;
}

NamedMemory open_named(const std::string& name) {
  check_name(name);
  NamedMemory opened;
  opened.name = name;
  opened.file = platform::open_named_memory(name);
  if (!opened.file) {
    throw_missing("attach to", name);
  }
  opened.identity = platform::memory_identity(opened.file.get());
  Table* const all = existing_table();
  if (all == nullptr) return opened;
  const Guard guard(*all);
  if (const heap::Offset entry = find(*all, opened.identity); entry != 0) {
    opened.entry = heap::Block::own(heap::hold(entry, heap::self()));
  }
  return opened;
}

void unlink_named(heap::Offset entry, const std::string& name, std::uint64_t identity) {
  Table& all = table();
  heap::Block foreign;  // of another tree's block, so that what a killed process began is ended
  if (entry == 0) {
    foreign = make_entry(all, random_name(), name);
    entry = foreign.offset();
    entry_at(entry).identity = identity;
  }
  bool removed = false;
  {
    const Guard guard(all);
    removed = remove_name(entry_at(entry));
  }
  if (foreign) {
    foreign = {};
    sweep_names();
  }
  if (!removed) throw_not_removed(name, identity);
}

void sweep_names() noexcept {
  Table* const all = existing_table();
  if (all == nullptr || !has_unused(*all)) return;
  const Guard guard(*all);
  remove_unused(*all);
}

void remove_all_names() noexcept {
  heap::for_each_finalized(
      [](heap::Offset entry) { static_cast<void>(remove_name(entry_at(entry))); });
}

std::uint64_t entries_looked_at() noexcept { return looks; }

}  // namespace process

// Who has the mutex does it as soon as it has given the mutex back, see Guard.
void heap::finalize_blocks() noexcept {
  process::Table* const all = process::existing_table();
  while (all != nullptr && process::has_unused(*all)) {
    platform::full_fence();
    const platform::LockResult lock = all->mutex.try_lock();
    if (!lock.acquired) return;
    if (lock.previous_owner_died) all->mutex.make_consistent();
    process::remove_unused(*all);
    all->mutex.unlock();
    if constexpr (!platform::kUnlockIsFence) platform::full_fence();
  }
}

}  // namespace procession
