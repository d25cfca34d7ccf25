#pragma once

#include "heap/layout.hpp"

namespace procession::heap {

/// Joins neighbouring free blocks, all over the heap, and makes the free lists anew. Under the
/// mutex. Takes time in proportion to the number of blocks.
void rebuild(Header& heap) noexcept;

/// Goes on with a `rebuild` whose process was killed, if there was one. Under the mutex.
void finish_rebuild(Header& heap) noexcept;

}  // namespace procession::heap
