#pragma once

#include <optional>
#include <string>

#include "heap/heap.hpp"

namespace procession::process {

/// A process that executed this program's image for the library finds out by an environment
/// variable; its descriptors are numbered from 3 on: the heap, the parent's life line and, for a
/// server, the socket.
enum class BootRole { child, server };

struct Boot {
  BootRole role;
  heap::Offset record;
};

inline constexpr int kBootHeap = 3;
inline constexpr int kBootWatched = 4;
inline constexpr int kBootSocket = 5;

/// "PROCESSION_BOOT=…" for a process in that role.
std::string boot_variable(BootRole role, heap::Offset record);

/// What the variable says, which is removed from the environment; empty when there is none. Throws
/// `ProcessError` for a text that this library did not write.
std::optional<Boot> take_boot_variable();

}  // namespace procession::process
