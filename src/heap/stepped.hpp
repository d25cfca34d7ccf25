#pragma once

#include <atomic>

#include "heap/testing.hpp"

namespace procession::heap {

/// A word in shared memory, as std::atomic. Before and after each change of it is a step at which
/// tests kill the process (testing.hpp); in release builds it is nothing but the atomic.
template <class T>
class Stepped {
 public:
  using Order = std::memory_order;
  static constexpr Order kStrict = std::memory_order_seq_cst;

  Stepped() = default;
  Stepped(const Stepped&) = delete;
  Stepped& operator=(const Stepped&) = delete;

  T load(Order order = kStrict) const noexcept { return word_.load(order); }
  operator T() const noexcept { return load(); }

  void store(T value, Order order = kStrict) noexcept {
    change([&] { word_.store(value, order); });
  }
  Stepped& operator=(T value) noexcept {
    store(value);
    return *this;
  }
  T exchange(T value) noexcept {
    return change([&] { return word_.exchange(value); });
  }
  T fetch_add(T value) noexcept {
    return change([&] { return word_.fetch_add(value); });
  }
  T fetch_sub(T value) noexcept {
    return change([&] { return word_.fetch_sub(value); });
  }
  T fetch_or(T value) noexcept {
    return change([&] { return word_.fetch_or(value); });
  }
  T fetch_and(T value) noexcept {
    return change([&] { return word_.fetch_and(value); });
  }
  bool compare_exchange_weak(T& expected, T desired) noexcept {
    return change([&] { return word_.compare_exchange_weak(expected, desired); });
  }
  bool compare_exchange_strong(T& expected, T desired) noexcept {
    return change([&] { return word_.compare_exchange_strong(expected, desired); });
  }

  /// The word itself: to sleep on it, to wake those who do, and for who has steps of its own.
  std::atomic<T>& word() noexcept { return word_; }
  [[nodiscard]] const std::atomic<T>& word() const noexcept { return word_; }

 private:
  struct Step {
    Step() noexcept { testing::step(); }
    ~Step() { testing::step(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
  };

  template <class Change>
  static auto change(Change make) noexcept {
    const Step around;
    return make();
  }

  std::atomic<T> word_;
};

}  // namespace procession::heap
