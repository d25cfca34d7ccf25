#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <string>

#include "platform/mutex.hpp"
#include "procession/timeout.hpp"
#include "support/interleavings.hpp"

/// What sync::System is to the algorithms of src/sync, for threads of a model.
namespace model {

using interleavings::Explorer;

struct System {
  /// A word of shared memory. What is read under a mutex is not changed by others meanwhile, or not
  /// so that it would matter, so nobody comes in between.
  template <class T>
  class Word {
   public:
    T load(std::memory_order = std::memory_order_seq_cst) const {
      if (Explorer::in_thread() && !Explorer::mine().guarded) Explorer::step_to(this);
      return value_;
    }
    void store(T value, std::memory_order = std::memory_order_seq_cst) {
      Explorer::step_to(this);
      value_ = value;
    }
    T exchange(T value) {
      Explorer::step_to(this);
      const T old = value_;
      value_ = value;
      return old;
    }
    T fetch_add(T more) {
      return exchange_by([&](T old) { return static_cast<T>(old + more); });
    }
    T fetch_or(T bits) {
      return exchange_by([&](T old) { return static_cast<T>(old | bits); });
    }
    T fetch_and(T bits) {
      return exchange_by([&](T old) { return static_cast<T>(old & bits); });
    }
    bool compare_exchange_weak(T& expected, T desired) {
      Explorer::step_to(this);
      const T old = value_;
      const bool same = old == expected;
      if (same) value_ = desired;
      expected = old;
      return same;
    }
    operator T() const { return load(); }
    Word& operator=(T value) {
      store(value);
      return *this;
    }
    /// For the test itself, at no step.
    [[nodiscard]] T peek() const { return value_; }

   private:
    template <class F>
    T exchange_by(F next) {
      Explorer::step_to(this);
      const T old = value_;
      value_ = next(old);
      return old;
    }

    T value_;
  };

  class Mutex {
   public:
    void init() {
      owner_ = 0;
      guards_ = false;
    }
    procession::platform::LockResult lock() {
      Explorer::step_locking(&owner_);
      const bool died = owner_ != 0;
      take();
      guards_ = true;
      if (Explorer::in_thread()) Explorer::mine().guarded = true;
      return {true, died};
    }
    procession::platform::LockResult try_lock() {
      Explorer::step();
      const bool held = Explorer::is_held(owner_);
      const bool died = owner_ != 0;
      if (held) return {};
      take();
      return {true, died};
    }
    template <class Deadline>
    procession::platform::LockResult lock_until(const Deadline& deadline) {
      return deadline.timed ? try_lock() : lock();
    }
    void unlock() {
      if (guards_) {
        Explorer::step_alone();
        if (Explorer::in_thread()) Explorer::mine().guarded = false;
      } else {
        Explorer::step();
      }
      owner_ = 0;
    }
    void make_consistent() {}
    /// For the test itself.
    [[nodiscard]] bool held() const { return Explorer::is_held(owner_); }

   private:
    void take() {
      owner_ = Explorer::in_thread() ? static_cast<std::uint32_t>(Explorer::self() + 1) : 0;
    }

    std::uint32_t owner_;
    bool guards_;  ///< it was waited for, and what it guards is read under it
  };

  /// A time-out passes at any moment at which it is slept for.
  struct Deadline {
    explicit Deadline(procession::Timeout timeout) : timed(timeout.has_value()) {}
    bool timed;
    mutable bool passed = false;
  };

  static constexpr bool kUnlockIsFence = true;

  class Sleeps {
   public:
    explicit Sleeps(const Deadline& deadline) : deadline_(deadline) {}
    bool sleep(Word<std::uint32_t>& word, std::uint32_t seen) {
      Explorer::step();
      if (!deadline_.passed && word.peek() == seen) {
        deadline_.passed = !Explorer::sleep(&word, deadline_.timed);
      }
      return !deadline_.passed;
    }

   private:
    const Deadline& deadline_;
  };
  static void wake(Word<std::uint32_t>& word, int most) {
    Explorer::step();
    Explorer::wake(&word, most);
  }
  static std::uint64_t process() { return Explorer::self() + 1; }
  static void crash_point() {}
};

/// A T in what the threads share.
template <class T>
T& shared(std::size_t at = 0) {
  static_assert(std::is_trivially_destructible_v<T>);
  return *reinterpret_cast<T*>(&Explorer::world().shared.at(at));
}

}  // namespace model
