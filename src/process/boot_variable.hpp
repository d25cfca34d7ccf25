#pragma once

#include <optional>
#include <string>
#include <vector>

#include "process/record.hpp"

namespace procession::process {

/// A process that executed this program's image for the library finds out by an environment
/// variable; its descriptors are numbered from 3 on: the heap, the watch of the parent, the
/// descriptor broker (channel/descriptor_broker.hpp) and, for a server, the socket. A janitor has
/// the heap only, and no record.
enum class BootRole { child, server, janitor };

struct Boot {
  BootRole role;
  Record::Claim claim;
};

inline constexpr int kBootHeap = 3;
inline constexpr int kBootWatched = 4;
inline constexpr int kBootBroker = 5;
inline constexpr int kBootSocket = 6;  ///< a server's
inline constexpr int kBootPassed =
    6;  ///< a child's, and those behind it: what its call brings along

/// What is added to the environment of a process in that role: PROCESSION_BOOT and, for a server, a
/// word to the dynamic linker to resolve all functions at once, which every copy would otherwise do
/// again for itself.
std::vector<std::string> boot_variables(BootRole role, const Record::Claim& claim = {});

/// What PROCESSION_BOOT says; empty when there is none. What `boot_variables` added is removed from
/// the environment. Throws `ProcessError` for a text that this library did not write.
std::optional<Boot> take_boot_variable();

}  // namespace procession::process
