#pragma once

#include <chrono>
#include <cstdint>

#include "platform/relax.hpp"

namespace procession::sync {

/// How long to wait awake before one sleeps, by how such waits have gone lately: the whole time
/// after one that was over in time, a quarter of the last after each that was not. Every 32nd is
/// tried in full, because only then can it be seen that things have changed: that costs each wait
/// as much as a system call. Not thread-safe.
class SpinBudget {
 public:
  /// Nanoseconds: about what two wake-ups across processors take. With half of it, a call of a pool
  /// whose worker has just fallen asleep is not waited for; twice as much gains nothing.
  static constexpr std::int64_t kWhole = 50'000;
  static constexpr std::uint32_t kProbe = 32;
  /// Less than this is none: to look at a clock and to sleep costs as much.
  static constexpr std::int64_t kLeast = 1'000;

  /// A wait begins: for how many nanoseconds it is to look. 0: a few times only.
  [[nodiscard]] constexpr std::int64_t begin() noexcept {
    return waits_++ % kProbe == 0 ? kWhole : budget_;
  }
  /// What was waited for has come within that time.
  constexpr void succeed() noexcept { budget_ = kWhole; }
  /// It has not.
  constexpr void fail() noexcept { budget_ = budget_ / 4 < kLeast ? 0 : budget_ / 4; }

 private:
  std::int64_t budget_ = kWhole;
  std::uint32_t waits_ = 0;
};

/// Waiting awake, as long as it pays: see SpinBudget. Where there is no second processor on which
/// another one could do what is waited for, not at all. Belongs to one thread at a time; see
/// spin_at.
class AdaptiveSpin {
 public:
  /// Looks until `there()` is true, for a while. What `there()` gave last.
  template <class There>
  bool spin(const There& there) {
    return there() || spin_every(1, there);
  }

  /// The same with so many pauses before each look, the first one too.
  template <class There>
  bool spin_every(std::uint32_t pauses, const There& there) {
    if (waits_++ % kCount == 0) has_company_ = has_second_processor();
    if (!has_company_) return there();
    const std::int64_t budget = budget_.begin();
    if (!look_awhile(pauses, there)) {
      // The clock runs from here on, so that what comes at once costs no look at it.
      const Clock::time_point end = Clock::now() + std::chrono::nanoseconds(budget);
      do {
        if (budget == 0 || Clock::now() >= end) {
          budget_.fail();
          return false;
        }
      } while (!look_awhile(pauses, there));
    }
    budget_.succeed();
    return true;
  }

  /// Does what the first wait of a process would have to do, for those that are copied from this
  /// one: reading a container's limits takes as long as half a start.
  static void prepare() noexcept { has_second_processor(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint32_t kPauses = 16;  ///< between looks at the clock
  static constexpr std::uint32_t kCount = 512;  ///< to count processors is a system call

  /// Whether this thread may be placed on more than one processor, and the process use so many.
  static bool has_second_processor() noexcept;

  template <class There>
  static bool look_awhile(std::uint32_t pauses, const There& there) {
    for (std::uint32_t waited = 0; waited < kPauses; waited += pauses) {
      for (std::uint32_t pause = 0; pause < pauses; ++pause)
        platform::relax();
      if (there()) return true;
    }
    return false;
  }

  SpinBudget budget_;
  std::uint32_t waits_ = 0;
  bool has_company_ = true;
};

/// That of the calling thread for waits at `place`, which stands for what is waited for and for
/// which side waits, such as the address of a word in shared memory. It is in this thread's own
/// memory: nothing is learnt through a cache line that others need. A few places may have one in
/// common.
AdaptiveSpin& spin_at(const void* place) noexcept;

}  // namespace procession::sync
