#pragma once

#include <atomic>

#include <cstddef>

#include "platform/deadline.hpp"

namespace procession::platform {

/// What came of an attempt to lock.
struct LockResult {
  bool acquired = false;             ///< the caller has the lock now
  bool previous_owner_died = false;  ///< and what it protects may be half changed
};

/// Whether what a thread reads after it has unlocked a mutex was not read before everybody could
/// see what it wrote before: to unlock is an atomic operation, and nothing passes that on these
/// processors.
#if defined(__x86_64__) || defined(__i386__)
inline constexpr bool kUnlockIsFence = true;
#else
inline constexpr bool kUnlockIsFence = false;
#endif

/// Sequentially consistent, as std::atomic_thread_fence, which ThreadSanitizer does not know.
inline void full_fence() noexcept {
#if defined(__SANITIZE_THREAD__)
  static constinit std::atomic<unsigned> word{0};
  word.fetch_add(1);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

/// A lock in shared memory that outlives its owners: when a thread or process ends while holding
/// it, the next one gets it and is told. Neither recursive nor fair. Never moved, never destroyed:
/// its memory just goes.
class RobustMutex {
 public:
  /// Makes raw memory a mutex that nobody holds; once, before others can see it. Throws
  /// ProcessError when the system has no such mutexes.
  void init();

  /// Waits for the lock. Not acquired only when an earlier owner unlocked without `make_consistent`
  /// after it had been told of a death.
  [[nodiscard]] LockResult lock() noexcept;
  [[nodiscard]] LockResult try_lock() noexcept;
  /// Not acquired when the deadline passes first, too.
  [[nodiscard]] LockResult lock_until(const Deadline& deadline) noexcept;

  /// By the thread that locked.
  void unlock() noexcept;

  /// Whether a thread that lives has it, by a mere look: nobody has to be told of a death for that,
  /// and none is forgotten.
  [[nodiscard]] bool owned() const noexcept;

  /// Says that what the dead owner left half changed is repaired. By the owner, before `unlock`.
  void make_consistent() noexcept;

 private:
#if defined(__x86_64__)
  static constexpr std::size_t kBytes = 40;
#else
  static constexpr std::size_t kBytes = 48;
#endif
  alignas(8) std::byte raw_[kBytes];
};

/// The same in a cache line of its own.
struct alignas(64) RobustMutexLine : RobustMutex {};

}  // namespace procession::platform
