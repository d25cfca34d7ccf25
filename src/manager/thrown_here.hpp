#pragma once

#include <cstdint>
#include <exception>

// What calls of objects throw whose server is a thread: a client of the same process is thrown the
// exception itself, whatever its type, as tasks on threads are (pool/thread_throws.hpp). Clients in
// other processes get the bytes beside it.
namespace procession::manager {

/// Keeps it under a number that was never given before. Thread-safe, as are the others.
std::uint64_t keep_thrown_here(std::exception_ptr thrown);

/// Takes it; null where there is none of that number in this process.
std::exception_ptr take_thrown_here(std::uint64_t number) noexcept;

}  // namespace procession::manager
