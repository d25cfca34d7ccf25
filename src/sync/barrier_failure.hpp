#pragma once

#include <string>

#include "procession/error.hpp"

// What who waits at a Barrier is told when not all come together, of processes and of a manager.
namespace procession::sync {

/// The Barrier stays broken.
[[noreturn]] inline void throw_broken(const char* why) {
  throw BrokenBarrier(std::string("waited at a Barrier that ") + why +
                      "; call reset() when all are ready to start again");
}

/// It is whole: another reset() would only send away those who have come back.
[[noreturn]] inline void throw_reset() {
  throw BrokenBarrier(
      "waited at a Barrier that was reset meanwhile, so this wait() did not count; the Barrier is "
      "ready: call wait() again");
}

}  // namespace procession::sync
