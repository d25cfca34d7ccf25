#pragma once

#include <atomic>

namespace procession::heap::testing {

/// This process no longer has a heap, as if it had never made or adopted one. The descriptor
/// stays open. For a forked child that is to begin anew, while it has a single thread.
void forget() noexcept;

// A way to kill a process at every single step of a change. Not in release builds.

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
