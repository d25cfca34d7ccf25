#pragma once

#include <atomic>
#include <cstdint>

namespace procession::platform {

/// A word by which a process tells itself from its copies: in a child of fork(), daemon() or
/// clone(), whether handlers of forks ran or not, it is 0 until `mark_process`. (A child of vfork()
/// shares the memory of its parent, and this word.) To look at it is a load, where to ask for the
/// process id is a system call. Always at the same address.
const std::atomic<std::uint64_t>& process_mark();

/// Gives this process a mark, if it has none: another one than whom it was copied from has or had.
/// Returns the mark. Thread-safe.
std::uint64_t mark_process();

}  // namespace procession::platform
