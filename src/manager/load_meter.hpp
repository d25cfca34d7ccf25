#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "platform/cpu.hpp"

namespace procession::manager {

/// How many sessions call a server these days. Who waits awake for a request or a reply serves the
/// caller well as long as each of them, and each of those that call, has a processor; in a crowd it
/// only keeps the others from theirs. Thread-safe; written by the server alone.
class LoadMeter {
 public:
  /// `size` is where clients see it.
  explicit LoadMeter(std::atomic<std::uint32_t>& size) : size_(size) {}

  /// What a session has to remember.
  using Epoch = std::int64_t;

  /// A session has got a request, now.
  void note(Epoch& last, std::chrono::steady_clock::time_point time) noexcept {
    const Epoch now = time.time_since_epoch() / kEpoch;
    if (now == last) return;
    last = now;
    Epoch current = epoch_.load(std::memory_order_relaxed);
    if (current != now && epoch_.compare_exchange_strong(current, now)) {
      size_.store(counted_.exchange(0), std::memory_order_relaxed);
    }
    counted_.fetch_add(1);
  }

  /// Whether who waits should sleep.
  static bool is_dense(const std::atomic<std::uint32_t>& size) noexcept {
    return 2 * size.load(std::memory_order_relaxed) > cpus();
  }

  /// Whether one thread should answer all: there are two clients and more for each processor. With
  /// fewer, a client and its session's thread take turns on one, which needs no third.
  static bool is_led(const std::atomic<std::uint32_t>& size) noexcept {
    return size.load(std::memory_order_relaxed) >= 2 * cpus();
  }

 private:
  static unsigned cpus() noexcept {
    static const unsigned counted = platform::affinity_cpus();
    return counted;
  }

  static constexpr std::chrono::milliseconds kEpoch{5};

  std::atomic<std::uint32_t>& size_;
  std::atomic<std::uint32_t> counted_{0};
  std::atomic<Epoch> epoch_{0};
};

}  // namespace procession::manager
