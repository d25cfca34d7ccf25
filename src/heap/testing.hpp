#pragma once

#include <atomic>

// A way for tests to kill a process at every single step of a change. Not in release builds.
namespace procession::heap::testing {

#ifndef NDEBUG
/// Called before and after each store to the shared state of the heap, if it is not null.
inline constinit std::atomic<void (*)()> on_step{nullptr};

inline void step() noexcept {
  if (void (*call)() = on_step.load(std::memory_order_relaxed)) call();
}
#else
inline void step() noexcept {}
#endif

}  // namespace procession::heap::testing
