#pragma once

#include <cstdint>
#include <string>

#include "platform/descriptor.hpp"

// Memory with a name that any process of the machine can open: POSIX shared memory, which Python's
// multiprocessing.shared_memory uses as well. Names have no slash in front here.
namespace procession::platform {

/// The most characters of a name.
inline constexpr std::size_t kLongestMemoryName = 250;

/// A new block of `size` zeroed bytes that are really there, readable by this user only. Empty when
/// the name is taken. Throws ProcessError; OutOfMemory when the memory file system has no room or
/// no inodes left, or cannot have a file of that size; they say `wanted`, the name that the block
/// is to have in the end.
Descriptor create_named_memory(const std::string& name, std::uint64_t size,
                               const std::string& wanted);

/// Gives it another name. False when that one is taken.
bool rename_named_memory(const std::string& name, const std::string& new_name);

/// Opens a block; empty when there is none of that name. Throws ProcessError, also for what has the
/// name and is no memory.
Descriptor open_named_memory(const std::string& name);

/// Takes the name away, whatever has it; those who have the block open keep it. False when there
/// was none. For names that nobody else can have given.
bool remove_named_memory(const std::string& name) noexcept;

/// The same if that block has the name (see `memory_identity`), and none that was given the name
/// meanwhile. `aside` is a name that nobody else uses: a call that is killed may leave the block
/// under it, or for a moment another one, and the next call with the same names ends what it had
/// begun. False when the block had no name.
bool remove_named_memory(const std::string& name, std::uint64_t identity,
                         const std::string& aside) noexcept;

/// A number that no other block that lives has.
std::uint64_t memory_identity(int descriptor);
/// The same by name; 0 when there is none.
std::uint64_t named_memory_identity(const std::string& name) noexcept;

}  // namespace procession::platform
