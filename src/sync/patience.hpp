#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "platform/cpu.hpp"
#include "platform/relax.hpp"

namespace procession::sync {

/// How long one waits awake before one sleeps: as long as it has paid lately. A wait that is over
/// soon costs no system call then; others cost a few microseconds of the processor. Thread-safe;
/// belongs to one process.
class Patience {
 public:
  /// Looks until `there` is true, for a while. What `there` gave last.
  template <class Condition>
  bool spin(Condition there) noexcept {
    if (there()) {
      return true;
    }
    const std::int64_t most = limit();
    if (most == 0) {
      return false;
    }
    const auto end = Clock::now() + std::chrono::nanoseconds(most);
    do {
      for (int i = 0; i < 16; ++i) {
        platform::relax();
        if (there()) {
          most_.store(kMost, std::memory_order_relaxed);
          return true;
        }
      }
    } while (Clock::now() < end);
    most_.store(most > kLeast ? most / 2 : most, std::memory_order_relaxed);
    return false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::int64_t kMost = 50'000;  // nanoseconds: about what two wake-ups take
  static constexpr std::int64_t kLeast = 1'000;
  static constexpr std::uint32_t kProbe = 16;
  static constexpr std::uint32_t kCount = 16 * kProbe;  ///< to count processors is a system call

  /// Once in a while, the whole of it, in case things have changed; and nothing where there is no
  /// second processor on which another one could do what is waited for.
  std::int64_t limit() noexcept {
    const std::uint32_t wait = waits_.fetch_add(1, std::memory_order_relaxed);
    if (wait % kCount == 0) {
      whole_.store(platform::affinity_cpus() > 1 ? kMost : 0, std::memory_order_relaxed);
    }
    if (wait % kProbe == 0) {
      most_.store(whole_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    return most_.load(std::memory_order_relaxed);
  }

  std::atomic<std::int64_t> whole_{kMost};
  std::atomic<std::int64_t> most_{kMost};
  std::atomic<std::uint32_t> waits_{0};
};

}  // namespace procession::sync
