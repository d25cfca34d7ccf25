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
/// the name is taken. Throws ProcessError, OutOfMemory when the memory file system is full.
Descriptor create_named_memory(const std::string& name, std::uint64_t size);

/// Gives it another name. False when that one is taken.
bool rename_named_memory(const std::string& name, const std::string& new_name);

/// Opens a block; empty when there is none of that name. Throws ProcessError.
Descriptor open_named_memory(const std::string& name);

/// Takes the name away; those who have the block open keep it. False when there was none.
bool remove_named_memory(const std::string& name) noexcept;

/// A number that no other block that lives has.
std::uint64_t memory_identity(int descriptor);
/// The same by name; 0 when there is none.
std::uint64_t named_memory_identity(const std::string& name) noexcept;

}  // namespace procession::platform
