#pragma once

#include <cstddef>

namespace procession::pool {

/// Memory for small objects of which there may be millions at a time, most of them let go in the
/// order in which they were made: taken from large pieces in the order of addresses, and given back
/// when all of a piece is. General allocators keep every one of them in lists of free memory, which
/// costs several times as much. Thread-safe; an object may be given back by any thread. At most
/// kMostInSlab bytes, aligned to 8.
void* take_from_slab(std::size_t size);
void give_back_to_slab(void* memory, std::size_t size) noexcept;

inline constexpr std::size_t kMostInSlab = 1024;

/// For std::allocate_shared.
template <class T>
struct SlabAllocator {
  static_assert(sizeof(T) <= kMostInSlab && alignof(T) <= 8);
  using value_type = T;

  SlabAllocator() = default;
  template <class Other>
  SlabAllocator(const SlabAllocator<Other>& /*other*/) {}

  T* allocate(std::size_t /*one*/) { return static_cast<T*>(take_from_slab(sizeof(T))); }
  void deallocate(T* memory, std::size_t /*one*/) noexcept { give_back_to_slab(memory, sizeof(T)); }
  friend bool operator==(const SlabAllocator& /*a*/, const SlabAllocator& /*b*/) { return true; }
};

}  // namespace procession::pool
