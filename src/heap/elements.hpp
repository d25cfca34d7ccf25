// Memory of users' elements: a block of the users' region, and where in it they begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "heap/heap.hpp"

namespace procession::heap {

/// On which side of an array's elements a page without access lies, by PROCESSION_GUARD.
enum class Guarded : std::uint32_t {
  no,
  behind,  ///< 1: the last element ends where the page begins
  before,  ///< 2: the first element begins where the page ends
};

/// What PROCESSION_GUARD says. Throws ProcessError for what it cannot say.
Guarded guard_from_environment();

/// Where elements lie, as it is written in the object that they belong to.
struct Elements {
  Offset first = 0;  ///< of the first one; 0: there are none
  std::uint64_t bytes = 0;
  Guarded guarded = Guarded::no;
};

/// Zeroed memory for `bytes` bytes, in a block that `owner` holds from now on. `alignment`: a power
/// of two, at most a page. Throws OutOfMemory.
Elements make_elements(std::size_t bytes, std::size_t alignment, Offset owner,
                       Guarded guarded = Guarded::no);

/// Elements as this process sees them: where they are mapped with all the heap, or by themselves
/// between two pages without access, as long as `mapping` lives.
struct ElementsHere {
  std::byte* first = nullptr;
  std::shared_ptr<void> mapping;
};

/// Throws OutOfMemory.
ElementsHere map_elements(const Elements& elements);

}  // namespace procession::heap
