// Blocks that hold each other in a circle: a queue that was put into itself, say. When nobody else
// holds them any more, each still has a hold on it, and dropping holds does not end them. What is
// in use and cannot be reached from the root, by way of what owners hold, is such a circle or hangs
// on one: all that any process has is held by its record, which the root holds.
//
// To find them takes a look at every block, so it is done where circles may have come to be: a
// *link* is a message that holds other blocks, and each circle has one at least.
#pragma once

#include "heap/layout.hpp"

namespace procession::heap {

/// Gives back all blocks in circles that nobody can reach. Whether there were some. Takes the mutex
/// for some ten nanoseconds a block; and memory, without which it does nothing.
bool collect_circles(Header& heap) noexcept;

}  // namespace procession::heap
