// This process's view of the heap: all that the heap knows without sharing it. No locks, so that a
// `fork` at any moment leaves the child a heap that works.
#pragma once

#include <atomic>

#include "heap/heap.hpp"
#include "heap/layout.hpp"

namespace procession::heap {

inline constinit std::atomic<int> mapped_descriptor{-1};
inline constinit std::atomic<Offset> own_record{0};
/// Whether this process was forked by one that had holds, and has the memory in which it kept them.
inline constinit std::atomic<bool> forked{false};

/// The header of the heap, which exists.
inline Header& header() noexcept {
  return *reinterpret_cast<Header*>(internal::base.load(std::memory_order_acquire));
}

/// The header of the heap, which is created if need be.
inline Header& ensured_header() {
  if (internal::base.load(std::memory_order_acquire) == nullptr) [[unlikely]]
    ensure();
  return header();
}

}  // namespace procession::heap
