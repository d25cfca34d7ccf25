#pragma once

#include <atomic>
#include <cstdint>

#include "heap/heap.hpp"
#include "heap/testing.hpp"
#include "platform/backoff.hpp"
#include "platform/deadline.hpp"
#include "platform/mutex.hpp"

namespace procession::sync {

/// What the algorithms of this floor stand on. They are templates over it: the tests put a model in
/// its place, in which every interleaving of a few threads is tried, and every death of one
/// (tests/sync/model.hpp).
struct System {
  /// A word of shared memory.
  template <class T>
  using Word = std::atomic<T>;
  using Mutex = platform::RobustMutex;
  using Deadline = platform::Deadline;
  static constexpr bool kUnlockIsFence = platform::kUnlockIsFence;

  /// The sleeps of one wait, each of which ends by itself after a while, at first after 100 ms.
  class Sleeps {
   public:
    explicit Sleeps(const Deadline& deadline) : deadline_(deadline) {}
    /// Sleeps until the word changes from `seen`, or for a while. False when the deadline has
    /// passed.
    bool sleep(Word<std::uint32_t>& word, std::uint32_t seen) noexcept;

   private:
    const Deadline& deadline_;
    platform::Backoff backoff_;
  };
  static void wake(Word<std::uint32_t>& word, int most) noexcept;

  /// The calling process.
  static heap::Offset process() noexcept { return heap::self(); }

  /// Where a process may be killed by a test.
  static void crash_point() noexcept { heap::testing::step(); }
};

}  // namespace procession::sync
