#pragma once

#include "heap/heap.hpp"

namespace procession::heap {

/// The payload of the heap's root block: where the floors above find what the whole tree shares.
/// Offsets of blocks that the root holds, 0 until somebody needed it, but where noted.
struct RootWords {
  std::uint64_t processes;  ///< process/record.cpp
  std::uint64_t names;      ///< process/names.cpp
  std::uint64_t threads;    ///< sync/lock_object.cpp: how many threads have locked something
  std::uint64_t descriptor_broker;  ///< channel/descriptor_broker.cpp
  std::uint64_t key;                ///< channel/tree_key.cpp
  std::uint64_t records;            ///< process/record.cpp: how many were made
};
static_assert(sizeof(RootWords) <= kRootBytes);

/// What `word` of the root names; made, zeroed, by the first who asks. One who is killed over it
/// leaves the word 0 or the finished one. `prepare` gets the zeroed T before others can see it.
/// Throws OutOfMemory.
template <class T, class Prepare>
T& shared_by_tree(std::uint64_t RootWords::* word, Prepare prepare) {
  ensure();
  std::uint64_t& place = at<RootWords>(root())->*word;
  if (settled(place) == 0) {
    Block block(sizeof(T), true);
    const Offset made = block.offset();
    prepare(*at<T>(made));
    if (move_if(block.hold_id(), root(), &place, 0, made)) static_cast<void>(block.release());
  }
  return *at<T>(settled(place));
}

/// The same, but null where nobody has needed it.
template <class T>
T* shared_by_tree_if_made(std::uint64_t RootWords::* word) {
  if (!exists()) return nullptr;
  return at<T>(settled(at<RootWords>(root())->*word));
}

}  // namespace procession::heap
