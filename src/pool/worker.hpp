#pragma once

#include <cstdint>

#include "heap/heap.hpp"
#include "pool/layout.hpp"

namespace procession::pool {

/// What a worker process runs: the initializer, then tasks until the pool stops.
void work(heap::Offset pool, std::uint32_t seat);

/// Bytes of memory that process `pid`, the worker in that seat, has for itself.
std::uint64_t own_memory(const Seat& seat, int pid) noexcept;

}  // namespace procession::pool
