#pragma once

#include <cstdint>

#include "heap/heap.hpp"

namespace procession::pool {

/// What a worker process runs: the initializer, then tasks until the pool stops.
void work(heap::Offset pool, std::uint32_t seat);

}  // namespace procession::pool
