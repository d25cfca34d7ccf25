#include "process/names.hpp"

#include <algorithm>
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

namespace procession::process {

namespace {

/// The block was made under a name that nobody else can have meant, and only then got its own. So
/// of a name that was taken away and given to another block since, nothing is removed: the identity
/// tells.
struct Entry {
  detail::ObjectHeader header;
  std::atomic<std::uint64_t> identity;  ///< 0: there is no block yet
  char temporary[40];                   ///< at random
  char name[platform::kLongestMemoryName + 1];
};

struct Table {
  static constexpr std::size_t kRoom = 16384;
  /// Held by whoever lists an entry, looks for one, or takes one off the list. All of these can be
  /// left half done.
  platform::RobustMutex mutex;
  std::atomic<std::uint64_t> used;  ///< no word at or behind this index was ever used
  std::uint64_t tickets[kRoom];     ///< of entries; 0: free
};

Table& table() {
  return heap::shared_by_tree<Table>(&heap::RootWords::names,
                                     [](Table& made) { made.mutex.init(); });
}

class Guard {
 public:
  explicit Guard(Table& table) : table_(table) {
    if (table_.mutex.lock().previous_owner_died) {
      heap::settle();  // else a word may name an entry that the dead one has not listed
      table_.mutex.make_consistent();
    }
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { table_.mutex.unlock(); }

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

/// An entry of which nobody knows yet.
heap::Block make_entry(const std::string& temporary, const std::string& name) {
  heap::Block made(sizeof(Entry), true);
  Entry& entry = entry_at(made.offset());
  entry.header = kNameHeader;
  std::strcpy(entry.temporary, temporary.c_str());
  std::strcpy(entry.name, name.c_str());
  return made;
}

/// Has the table hold the block, besides its maker. False when it is full.
bool try_list(Table& all, const heap::Block& block) {
  const Guard guard(all);
  for (std::size_t i = 0; i < Table::kRoom; ++i) {
    if (heap::glance(all.tickets[i]) != 0) {
      continue;
    }
    all.used = std::max<std::uint64_t>(all.used, i + 1);
    heap::Block listed = heap::Block::own(heap::hold(block.offset(), heap::self()));
    heap::move(listed.ticket(), heap::root(), &all.tickets[i], listed.ticket());
    static_cast<void>(listed.release());
    return true;
  }
  return false;
}

void list(Table& all, const heap::Block& block) {
  if (try_list(all, block)) return;
  bury_orphans();
  if (try_list(all, block)) return;
  throw ProcessError("cannot make another named block of shared memory: this process tree has " +
                     std::to_string(Table::kRoom) + "; let go of some first");
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

/// A file of that size under a name that is nobody else's.
platform::Descriptor make_file(const std::string& name, std::uint64_t size) {
  platform::Descriptor file;
  try {
    file = platform::create_named_memory(name, size);
  } catch (const OutOfMemory&) {
    // Perhaps what processes had that have ended is in the way.
    heap::reclaim();
    sweep_names();
    file = platform::create_named_memory(name, size);
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
  bury_orphans();  // whose it was may have ended
  return platform::rename_named_memory(temporary, name);
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
  made.entry = make_entry(temporary, made.name);
  list(all, made.entry);
  made.file = make_file(temporary, size);
  made.identity = platform::memory_identity(made.file.get());
  entry_at(made.entry.offset()).identity = made.identity;
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
  Table* const all = heap::shared_by_tree_if_made<Table>(&heap::RootWords::names);
  if (all == nullptr) {
    return opened;
  }
  const Guard guard(*all);
  for (std::size_t i = 0; i < all->used; ++i) {
    const heap::Ticket ticket = heap::glance(all->tickets[i]);
    if (ticket != 0 && entry_at(heap::target(ticket)).identity == opened.identity) {
      opened.entry = heap::Block::own(heap::hold(heap::target(ticket), heap::self()));
      break;
    }
  }
  return opened;
}

void unlink_named(heap::Offset entry, const std::string& name, std::uint64_t identity) {
  Table& all = table();
  heap::Block guest;  // of another tree's block, so that what a killed process began is ended
  if (entry == 0) {
    guest = make_entry(random_name(), name);
    entry = guest.offset();
    entry_at(entry).identity = identity;
    list(all, guest);
  }
  bool removed = false;
  {
    const Guard guard(all);
    removed = remove_name(entry_at(entry));
  }
  if (guest) {
    guest = {};
    sweep_names();
  }
  if (!removed) throw_not_removed(name, identity);
}

void sweep_names() noexcept {
  Table* const all = heap::shared_by_tree_if_made<Table>(&heap::RootWords::names);
  if (all == nullptr) {
    return;
  }
  const Guard guard(*all);
  for (std::size_t i = 0; i < all->used; ++i) {
    const heap::Ticket ticket = heap::glance(all->tickets[i]);
    if (ticket == 0 || heap::holds_on(heap::target(ticket)) != 1) {
      continue;
    }
    static_cast<void>(remove_name(entry_at(heap::target(ticket))));
    heap::move(ticket, heap::self(), &all->tickets[i], 0);
    heap::drop(ticket);
  }
}

void remove_all_names() noexcept {
  Table* const all = heap::shared_by_tree_if_made<Table>(&heap::RootWords::names);
  for (std::size_t i = 0; all != nullptr && i < all->used; ++i) {
    const heap::Ticket ticket = heap::glance(all->tickets[i]);
    if (ticket != 0) {
      static_cast<void>(remove_name(entry_at(heap::target(ticket))));
    }
  }
}

}  // namespace procession::process
