#pragma once

#include "heap/layout.hpp"

namespace procession::heap {

/// Throws OutOfMemory with all that helps to see why. Takes the mutex. `reserve_is_full`: it is the
/// region that has no room, not the system.
[[noreturn]] void throw_out_of_memory(Header& heap, Region region, std::uint64_t bytes,
                                      bool reserve_is_full);

}  // namespace procession::heap
