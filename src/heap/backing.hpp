// The memory behind the heap's file: which parts of it are there.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"

namespace procession::heap {

/// Backs [`from`, `to`) of the heap with memory. False when the system or the control group has
/// none to give, before the kernel's out-of-memory killer would be the one to say so. What is
/// there already stays as it is.
bool back(Header& heap, Offset from, Offset to) noexcept;

/// Backs the whole pages inside a payload. (Those that it shares with headers are always there.)
bool back_payload(Header& heap, Offset block, std::uint64_t bytes) noexcept;

/// Gives the memory of the whole pages inside a payload back; they read as zero from then on.
void punch_payload(Header& heap, Offset block, std::uint64_t bytes) noexcept;

/// Fills a payload with zeros; quickly, when the whole pages inside are zero already.
void zero_payload(Header& heap, Offset block, std::uint64_t bytes, bool inside_is_zero) noexcept;

}  // namespace procession::heap
