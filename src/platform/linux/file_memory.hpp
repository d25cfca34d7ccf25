// Memory of files in memory, also where fallocate() is denied. For files of this folder.
#pragma once

#include <cstdint>

namespace procession::platform {

/// Gives `[offset, offset + size)` of the file memory; what was there stays. An error code, 0:
/// done. Where fallocate() is denied (a filter of system calls, an emulator, a file system that has
/// none), zeros are written into the holes, which may be nobody's meanwhile.
int back_file(int file, std::uint64_t offset, std::uint64_t size) noexcept;

/// Takes its memory away again: whole pages are meant, which read as zero. Where fallocate() is
/// denied, they are overwritten, and keep their memory.
void clear_file(int file, std::uint64_t offset, std::uint64_t size) noexcept;

}  // namespace procession::platform
