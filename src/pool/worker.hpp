#pragma once

#include <cstdint>

#include "heap/heap.hpp"
#include "pool/layout.hpp"

namespace procession::pool {

/// What a worker process runs: the initializer, then tasks until the pool stops.
void work(heap::Offset pool, std::uint32_t worker_slot);

/// Bytes of memory that process `pid`, the worker in that worker slot, has for itself.
std::uint64_t own_memory(const WorkerSlot& worker_slot, int pid) noexcept;

}  // namespace procession::pool
