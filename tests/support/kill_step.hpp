#pragma once

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

#include "heap/testing.hpp"

#ifndef NDEBUG
/// Kills the calling process at the N-th step of what it does to shared memory (heap/testing.hpp).
namespace kill_step {

inline std::atomic<std::size_t> left{0};

/// From here on; 0: never.
inline void arm(std::size_t step) {
  left = step;
  procession::heap::testing::on_step = [] {
    if (left != 0 && --left == 0) ::kill(::getpid(), SIGKILL);
  };
}

inline void disarm() { procession::heap::testing::on_step = nullptr; }

}  // namespace kill_step
#endif
