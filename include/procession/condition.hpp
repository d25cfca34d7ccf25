#pragma once

#include <concepts>
#include <cstddef>
#include <variant>

#include "procession/detail/copy_guard.hpp"
#include "procession/lock.hpp"

namespace procession {

/// Where processes that have a lock wait until another one, which has it too, says that something
/// has changed.
///
///     mp::Condition changed;                    // with a lock of its own
///     const std::scoped_lock guard(changed);
///     changed.wait([&] { return ready(); });
///
/// Waiters that were killed are passed over: `notify` wakes so many that live. One that is killed
/// after it was woken takes the notification with it. A handle; every member may be called from any
/// thread of any process. Python: `multiprocessing.Condition`.
class Condition {
 public:
  /// With an RLock of its own, as in Python. Throws `OutOfMemory`.
  Condition();
  /// With a lock that may guard other things too. Throws `OutOfMemory`.
  explicit Condition(const Lock& lock);
  /// The same.
  explicit Condition(const RLock& lock);

  /// What the lock's members do.
  void lock() const {
    std::visit([](const auto& lock) { lock.lock(); }, lock_);
  }
  /// The same.
  [[nodiscard]] bool try_lock() const {
    return std::visit([](const auto& lock) { return lock.try_lock(); }, lock_);
  }
  /// The same.
  void unlock() const {
    std::visit([](const auto& lock) { lock.unlock(); }, lock_);
  }
  /// The same.
  [[nodiscard]] bool owner_died() const {
    return std::visit([](const auto& lock) { return lock.owner_died(); }, lock_);
  }

  /// Gives the lock up, waits to be notified, and has the lock again when it returns, with as many
  /// levels as before. False when the time-out passes first. Throws `ProcessError` when the calling
  /// thread does not have the lock; `OutOfMemory`.
  bool wait(Timeout timeout = {}) const;

  /// Waits, any number of times, until `condition()` holds; false when the time-out passes and it
  /// does not. A copy of this process that `condition` makes is to end in it, as in
  /// `Value::update`. Python: `wait_for`.
  template <std::predicate Predicate>
  bool wait(Predicate condition, Timeout timeout = {}) const {
    const Until until(timeout);
    const auto holds = [&] {
      const detail::CopyGuard guard("the predicate of a Condition");
      return static_cast<bool>(condition());
    };
    while (!holds()) {
      if (!wait(until.left())) return holds();
    }
    return true;
  }

  /// Wakes `n` of those who wait, the first ones first; fewer when fewer wait. Throws
  /// `ProcessError` when the calling thread does not have the lock.
  void notify(std::size_t n = 1) const;
  /// Wakes all who wait now. Throws as `notify` does.
  void notify_all() const { notify(static_cast<std::size_t>(-1)); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Condition& condition) { condition.write(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, Condition& condition) { condition.read(decoder); }

 private:
  /// A time-out that is shared by several waits.
  class Until {
   public:
    explicit Until(Timeout timeout);
    [[nodiscard]] Timeout left() const;

   private:
    Timeout end_;
  };

  void make();
  void write(Encoder& encoder) const;
  void read(Decoder& decoder);

  std::variant<RLock, Lock> lock_;
  detail::Handle handle_;
};

template <>
inline constexpr bool detail::kIsHandle<Condition> = true;

}  // namespace procession
