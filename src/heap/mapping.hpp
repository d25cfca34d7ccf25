// This process's view of the heap: all that the heap knows without sharing it. No locks, so that a
// `fork` at any moment leaves the child a heap that works.
#pragma once

#include <atomic>
#include <optional>

#include "heap/heap.hpp"
#include "heap/layout.hpp"
#include "platform/memory.hpp"

namespace procession::heap {

inline constinit std::atomic<int> mapped_descriptor{-1};
/// Of the file, which the descriptor may not be of any more: see `mapped_file`.
inline constinit platform::FileIdentity mapped_identity;
inline constinit std::atomic<Offset> own_record{0};
/// Whether this process was forked by one that had holds, and has the memory in which it kept them.
inline constinit std::atomic<bool> forked{false};

/// The descriptor of the heap's file. Empty where the program has closed all descriptors, also
/// those that it did not open: the number may be that of another file then.
inline std::optional<int> mapped_file() noexcept {
  const int descriptor = mapped_descriptor.load(std::memory_order_relaxed);
  if (platform::file_identity(descriptor) != mapped_identity) return std::nullopt;
  return descriptor;
}

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
