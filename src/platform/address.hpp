#pragma once

#include <cstddef>
#include <cstdint>

namespace procession::platform {

/// Whether `value` is likely an address of this process alone: of a stack, of the heap, of another
/// mapping, or of an image (which is loaded elsewhere in another process). Numbers that a program
/// computes with are not taken for addresses: nothing below the first address that the loader and
/// the allocator use is one, nothing is that is not mapped, and nothing that lies in shared memory
/// which was declared so. In a program that is not position-independent its data and early heap lie
/// so low that they cannot be told from numbers; they pass for numbers.
///
/// A nanosecond for a number, one system call for what may be an address. Thread-safe.
bool is_private_address(std::uintptr_t value);

/// Declares that every process of the tree maps the same memory here: an address in it is no
/// private one. At most 16 ranges are kept. Thread-safe.
void declare_shared_range(const void* begin, std::size_t size);

}  // namespace procession::platform
