// The tree's list of the records of its processes, in the shared heap.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heap/heap.hpp"
#include "heap/root_words.hpp"

namespace procession::process {

/// Its words are hold ids, 0 where free.
struct Directory {
  static constexpr std::size_t kRoom = 32768;
  std::uint64_t used;     ///< no word at or behind this index was ever used
  std::uint64_t orphans;  ///< 1: see expects_orphans
  std::uint64_t hold_ids[kRoom];
};

inline Directory& directory() {
  return heap::shared_by_tree<Directory>(&heap::RootWords::processes, [](Directory&) {});
}

/// For those who look at what there is: it takes no memory, of which there may be none. Null where
/// there never was a record.
inline Directory* existing_directory() noexcept {
  return heap::shared_by_tree_if_made<Directory>(&heap::RootWords::processes);
}

inline std::uint64_t used_of(Directory& all) noexcept { return heap::glance(all.used); }

inline void note_use_of(Directory& all, std::uint64_t count) noexcept {
  const std::atomic_ref<std::uint64_t> word(all.used);
  std::uint64_t known = word.load();
  while (known < count && !word.compare_exchange_weak(known, count)) {
  }
}

inline void expect_orphans(Directory& all, bool some) noexcept {
  std::atomic_ref<std::uint64_t>(all.orphans).store(some ? 1 : 0);
}

/// Reaps the record that `entry`, a word of the list, is the hold id of; see `reap_record`. Whether
/// it was this call that did.
bool reap_listed(std::uint64_t& entry, heap::HoldId record, std::uint32_t serial) noexcept;

}  // namespace procession::process
