// The named blocks of shared memory that this process tree made, and that are to lose their names
// when nobody in it uses them any more, whoever is killed.
//
// Each has an *entry*, a block of the shared heap that every handle holds, and every message that
// has a handle in it. Whoever lets the last hold go, by whatever way, puts the entry into the
// heap's finalization queue (heap::finalize), and removes the name there and then; or if somebody
// else is at the names at the moment, that one does. The janitor (janitor.hpp) removes all names
// when the whole tree has ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "heap/heap.hpp"
#include "platform/descriptor.hpp"
#include "procession/detail/handle.hpp"

namespace procession::process {

/// What entries begin with.
inline constexpr detail::ObjectHeader kNameHeader{0x656d'616e, 0};

struct NamedMemory {
  heap::Block entry;  ///< empty for memory that this tree did not make
  platform::Descriptor file;
  std::string name;
  std::uint64_t identity = 0;  ///< tells the block from another one that gets its name
};

/// Makes a block of `size` bytes. Without a name it gets one of its own. Throws
/// `std::invalid_argument` for a bad name, ProcessError when it is taken, OutOfMemory.
NamedMemory create_named(std::uint64_t size, const std::optional<std::string>& name);

/// Opens a block. Throws ProcessError when there is none of that name.
NamedMemory open_named(const std::string& name);

/// Takes the name of a block away. Throws ProcessError when it has none, or another block has it by
/// now. `entry`: 0 for memory that this tree did not make.
void unlink_named(heap::Offset entry, const std::string& name, std::uint64_t identity);

/// Removes the names that nobody uses any more, and waits for who is at it already. Thread-safe,
/// process-safe; costs a look where there are none.
void sweep_names() noexcept;

/// For tests: how many entries this process has looked at to find one, or to take one off.
std::uint64_t entries_looked_at() noexcept;

/// Removes all of them.
void remove_all_names() noexcept;

}  // namespace procession::process
