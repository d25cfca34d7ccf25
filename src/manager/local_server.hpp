#pragma once

#include "heap/heap.hpp"

namespace procession::manager {

/// What the server of a local manager runs: until the manager's accept queue is shut.
void serve_manager(heap::Offset manager);

}  // namespace procession::manager
