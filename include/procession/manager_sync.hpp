#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "procession/detail/served_sync.hpp"
#include "procession/detail/typed_proxy.hpp"

// Locks and their kin in a manager's server, for processes of other hosts; within one process tree
// those of sync.hpp are faster by far. Their owners are threads of client processes: when one ends,
// or its connection does, what it has locked is free within a second or so.

namespace procession {

namespace detail {

/// What the proxies of locks have in common.
template <class S>
class LockProxyOf : public TypedProxy<S> {
 public:
  /// Waits for the lock. Throws `ProcessError` when a plain one is locked by the thread that has it
  /// already.
  void lock() const { this->template call<&S::acquire>("acquire", Timeout()); }
  /// Takes the lock if it is free, or an RLock of the calling thread's own; whether it did. Python:
  /// `acquire(False)`.
  [[nodiscard]] bool try_lock() const { return try_lock_for(Duration::zero()); }
  /// Waits for the lock so long at most; whether it got it. Throws as `lock` does.
  [[nodiscard]] bool try_lock_for(Timeout timeout) const {
    return this->template call<&S::acquire>("acquire", timeout);
  }
  /// Gives it back. Throws `ProcessError` when the calling thread does not have it. Where the
  /// server has ended, or the connection to it was lost, nothing is left to give back, and it
  /// returns: a std::scoped_lock may end then; the next call throws.
  void unlock() const {
    try {
      this->template call<&S::release>("release");
    } catch (const EndOfFile&) {
    } catch (const BrokenPipe&) {
    } catch (const ConnectionLost&) {
    }
  }
  /// For the one who has it: whether the last owner ended while it had it. Throws `ProcessError`
  /// for others.
  [[nodiscard]] bool owner_died() const {
    return this->template call<&S::owner_died>("owner_died");
  }
};

/// What the proxies of semaphores have in common.
template <class S>
class SemaphoreProxyOf : public TypedProxy<S> {
 public:
  /// Waits until there is a permit and takes it.
  void acquire() const { this->template call<&S::acquire>("acquire", Timeout()); }
  /// Takes a permit if there is one; whether it did.
  [[nodiscard]] bool try_acquire() const { return try_acquire_for(Duration::zero()); }
  /// Waits so long at most; whether it got one.
  [[nodiscard]] bool try_acquire_for(Timeout timeout) const {
    return this->template call<&S::acquire>("acquire", timeout);
  }
  /// Gives `n` permits. Throws `ProcessError` when there would be more than a bounded one was made
  /// with; `std::invalid_argument` for less than 1.
  void release(std::int64_t n = 1) const { this->template call<&S::release>("release", n); }
  /// How many permits there are at this moment.
  [[nodiscard]] std::uint32_t value() const { return this->template call<&S::value>("value"); }
};

}  // namespace detail

/// A Lock in a manager's server; works with std::scoped_lock and std::unique_lock. A handle; as
/// Proxy otherwise. Python: `Manager().Lock()`.
class LockProxy : public detail::LockProxyOf<detail::ServedLock> {
 public:
  /// Sends the handle.
  friend void encode(Encoder& encoder, const LockProxy& lock) { lock.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, LockProxy& lock) { lock.decode_handle(decoder); }
};

/// The same, which its owner may lock any number of times. Python: `Manager().RLock()`.
class RLockProxy : public detail::LockProxyOf<detail::ServedRLock> {
 public:
  /// Sends the handle.
  friend void encode(Encoder& encoder, const RLockProxy& lock) { lock.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, RLockProxy& lock) { lock.decode_handle(decoder); }
};

/// A Condition, with an RLock of its own, in a manager's server. A handle; as Proxy otherwise.
/// Python: `Manager().Condition()`.
class ConditionProxy : public detail::LockProxyOf<detail::ServedCondition> {
  using Served = detail::ServedCondition;

 public:
  /// Gives the lock up, waits to be notified, and has the lock again when it returns. False when
  /// the time-out passes first. Throws `ProcessError` when the calling thread does not have the
  /// lock.
  bool wait(Timeout timeout = {}) const { return call<&Served::wait>("wait", timeout); }
  /// Waits, any number of times, until `condition()` holds, which is asked here; false when the
  /// time-out passes and it does not. Python: `wait_for`.
  template <std::predicate Predicate>
  bool wait(Predicate condition, Timeout timeout = {}) const {
    const auto begin = std::chrono::steady_clock::now();
    while (!condition()) {
      Timeout left = timeout;
      if (left) left = *left - std::min<Duration>(*left, std::chrono::steady_clock::now() - begin);
      if (!wait(left)) return static_cast<bool>(condition());
    }
    return true;
  }
  /// Wakes `n` of those who wait, the first ones first. Throws `ProcessError` when the calling
  /// thread does not have the lock.
  void notify(std::size_t n = 1) const { call<&Served::notify>("notify", n); }
  /// Wakes all who wait now. Throws as `notify` does.
  void notify_all() const { notify(static_cast<std::size_t>(-1)); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const ConditionProxy& one) { one.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, ConditionProxy& one) { one.decode_handle(decoder); }
};

/// A Semaphore in a manager's server. A handle; as Proxy otherwise. Python:
/// `Manager().Semaphore()`.
class SemaphoreProxy : public detail::SemaphoreProxyOf<detail::ServedSemaphore> {
 public:
  /// Sends the handle.
  friend void encode(Encoder& encoder, const SemaphoreProxy& one) { one.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, SemaphoreProxy& one) { one.decode_handle(decoder); }
};

/// The same, which refuses more permits than it was made with. Python:
/// `Manager().BoundedSemaphore()`.
class BoundedSemaphoreProxy : public detail::SemaphoreProxyOf<detail::ServedBoundedSemaphore> {
 public:
  /// Sends the handle.
  friend void encode(Encoder& encoder, const BoundedSemaphoreProxy& one) {
    one.encode_handle(encoder);
  }
  /// Receives it.
  friend void decode(Decoder& decoder, BoundedSemaphoreProxy& one) { one.decode_handle(decoder); }
};

/// An Event in a manager's server. A handle; as Proxy otherwise. Python: `Manager().Event()`.
class EventProxy : public detail::TypedProxy<detail::ServedEvent> {
  using Served = detail::ServedEvent;

 public:
  /// Sets the flag and wakes all who wait for it, also if it is cleared right afterwards.
  void set() const { call<&Served::set>("set"); }
  /// Those who come to wait from now on will wait.
  void clear() const { call<&Served::clear>("clear"); }
  /// Whether it is set.
  [[nodiscard]] bool is_set() const { return call<&Served::is_set>("is_set"); }
  /// Waits until it is set; false when the time-out passes first.
  bool wait(Timeout timeout = {}) const { return call<&Served::wait>("wait", timeout); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const EventProxy& one) { one.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, EventProxy& one) { one.decode_handle(decoder); }
};

/// A Barrier in a manager's server. When one of those who wait ends, or gives up, it breaks. More
/// threads than it is for may come: so many at a time go on together. A handle; as Proxy otherwise.
/// Python: `Manager().Barrier()`.
class BarrierProxy : public detail::TypedProxy<detail::ServedBarrier> {
  using Served = detail::ServedBarrier;

 public:
  /// Waits for the others. Returns how many were there before. Throws `BrokenBarrier` when it
  /// breaks, or when the time-out passes, which breaks it, but not while the action runs; what the
  /// action throws. The action itself may call every other member: where it calls `abort` or
  /// `reset`, nobody goes on.
  std::size_t wait(Timeout timeout = {}) const { return call<&Served::wait>("wait", timeout); }
  /// Makes the barrier whole and empty again; those who wait get `BrokenBarrier`.
  void reset() const { call<&Served::reset>("reset"); }
  /// Breaks it.
  void abort() const { call<&Served::abort>("abort"); }
  /// How many it is for.
  [[nodiscard]] std::size_t parties() const { return call<&Served::parties>("parties"); }
  /// How many wait at this moment.
  [[nodiscard]] std::size_t n_waiting() const { return call<&Served::n_waiting>("n_waiting"); }
  /// Whether it is broken.
  [[nodiscard]] bool broken() const { return call<&Served::broken>("broken"); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const BarrierProxy& one) { one.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, BarrierProxy& one) { one.decode_handle(decoder); }
};

template <>
inline constexpr bool detail::kIsHandle<LockProxy> = true;
template <>
inline constexpr bool detail::kIsHandle<RLockProxy> = true;
template <>
inline constexpr bool detail::kIsHandle<ConditionProxy> = true;
template <>
inline constexpr bool detail::kIsHandle<SemaphoreProxy> = true;
template <>
inline constexpr bool detail::kIsHandle<BoundedSemaphoreProxy> = true;
template <>
inline constexpr bool detail::kIsHandle<EventProxy> = true;
template <>
inline constexpr bool detail::kIsHandle<BarrierProxy> = true;

}  // namespace procession
