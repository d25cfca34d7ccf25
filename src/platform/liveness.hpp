#pragma once

#include <cstdint>

// Locks on single bytes of a file that belong to a process: the kernel takes them back at its end,
// however it ends. `fork` does not inherit them. They are also lost when the process closes any
// descriptor of the file.
namespace procession::platform {

/// Locks the byte at `offset` for this process; true when it has it now (or had it already), false
/// when another process has it. Throws ProcessError when the file cannot be locked at all.
bool lock_byte(int descriptor, std::uint64_t offset);

/// Whether *another* process has the byte at `offset` locked. Throws ProcessError likewise.
bool byte_is_locked(int descriptor, std::uint64_t offset);

/// Whether that process maps the file: one that closed all its descriptors has lost its locks, and
/// lives. True where it cannot be found out. One that has ended maps nothing, waited for or not;
/// nor does one that has executed another program.
bool maps_file(int pid, int descriptor) noexcept;

/// Waits until no other process has a byte of the file locked, and then has them all itself. Throws
/// ProcessError likewise.
void wait_for_all_locks(int descriptor);

}  // namespace procession::platform
