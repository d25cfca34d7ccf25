#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "platform/descriptor.hpp"

// Memory that several processes map: a file that lives in memory only, has no name in any folder,
// and is gone when its last descriptor and mapping are.
namespace procession::platform {

/// Bytes per page.
std::uint64_t page_size() noexcept;

/// A file in memory of `size` bytes, all of them holes, which can neither grow nor shrink. `name`
/// only shows in /proc/PID/maps. Close-on-exec. Throws ProcessError. `size` must not be above
/// `file_size_limit()`, or SIGXFSZ ends the process.
Descriptor create_memory_file(const char* name, std::uint64_t size);

/// The size of a file in bytes; 0 when the descriptor is no file.
std::uint64_t file_size(int descriptor) noexcept;

/// Which file it is: no other one has both numbers at the same time.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
/// That of an open file; empty when the descriptor is closed.
std::optional<FileIdentity> file_identity(int descriptor) noexcept;

/// Keeps an inherited descriptor from programs that this process executes.
void close_on_exec(int descriptor) noexcept;

/// Bytes of memory that a file really takes; 0 when the descriptor is no file.
std::uint64_t file_memory(int descriptor) noexcept;

/// Maps the first `size` bytes for reading and writing, shared; nullptr (and errno) when there is
/// no room. `readable_only`: for a look at them.
std::byte* map_shared(int descriptor, std::uint64_t size, bool readable_only = false) noexcept;
void unmap(std::byte* address, std::uint64_t size) noexcept;

/// Keeps `size` bytes of addresses free of anything else: who touches them is ended by a signal.
/// nullptr when there is no room.
std::byte* reserve_addresses(std::uint64_t size) noexcept;
/// Maps `size` bytes of the file from `offset` on, shared, in place of what is at `address`;
/// `accessible`: for reading and writing. False (and errno) when that fails.
bool map_shared_at(std::byte* address, int descriptor, std::uint64_t offset, std::uint64_t size,
                   bool accessible) noexcept;
/// Whether this process may have so many more mappings than it has now.
bool has_mappings_left(std::size_t count) noexcept;
/// Lets mapped memory be read and written. The program ends when that fails, as it would by the
/// next access.
void allow_access(std::byte* address, std::uint64_t size) noexcept;

/// Backs `[offset, offset + size)` of the file with memory, so that touching it cannot fail; what
/// was there stays. `base` is where the file is mapped. Uses huge pages where the kernel gives them
/// to those who ask. False when there is no memory for it; then holes are left where holes were.
bool commit(int descriptor, std::byte* base, std::uint64_t offset, std::uint64_t size) noexcept;

/// Backs mapped pages, which are accessible, with memory as `commit` does, where there is no
/// descriptor of the file any more. False when there is no memory for it, and before Linux 5.14.
bool commit_mapped(std::byte* address, std::uint64_t size) noexcept;
/// Gives the memory of mapped, accessible pages back likewise; they read as zero.
void punch_mapped(std::byte* address, std::uint64_t size) noexcept;

/// Gives the memory of the whole pages inside `[offset, offset + size)` back; they read as zero,
/// also where the system does not take memory back.
void punch_hole(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept;

/// Says of a large mapping that few of its pages may ever be used: those are to be huge where that
/// can be had, and a core dump holds the first 4 MiB and nothing else, which would take all of the
/// mapping as memory and as disk.
void advise_sparse(std::byte* address, std::uint64_t size) noexcept;

/// Bytes of memory in this machine.
std::uint64_t physical_memory() noexcept;

/// Bytes that can still be used before the kernel starts to kill: what the machine has available,
/// or less, where a control group (a container's limit) admits less. The largest number when that
/// cannot be found out.
std::uint64_t available_memory() noexcept;

/// Bytes of memory that a process has for itself: what it shares with others, the shared heap and
/// the code of libraries, is not counted. 0 when that cannot be found out.
std::uint64_t private_memory(int pid) noexcept;

/// Bytes of address space that this process may still map (RLIMIT_AS).
std::uint64_t address_space_left() noexcept;

/// Bytes that a file of this process may have (RLIMIT_FSIZE).
std::uint64_t file_size_limit() noexcept;

}  // namespace procession::platform
