#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "procession/callable.hpp"
#include "procession/detail/served.hpp"
#include "procession/detail/served_gate.hpp"

namespace procession::manager {
class Caller;
}

// Locks and their kin in a manager's server. Their owners are the callers: threads of client
// processes.
namespace procession::detail {

class OwnedLock;

/// What a LockProxy is a proxy of.
class ServedLock {
 public:
  ServedLock() : ServedLock(false) {}

  bool acquire(Timeout timeout);
  void release();
  bool owner_died() const;

 protected:
  explicit ServedLock(bool recursive);

  std::shared_ptr<OwnedLock> lock_;
};

/// What an RLockProxy is a proxy of.
class ServedRLock : public ServedLock {
 public:
  ServedRLock() : ServedLock(true) {}
};

/// What a ConditionProxy is a proxy of: with an RLock of its own.
class ServedCondition : public ServedRLock {
 public:
  bool wait(Timeout timeout);
  void notify(std::size_t n);

 private:
  struct Waiter {
    Gate gate;
    bool notified = false;
  };

  void wake_first() noexcept;

  std::list<Waiter*> waiters_;  ///< under the lock's mutex
};

/// What a SemaphoreProxy is a proxy of.
class ServedSemaphore {
 public:
  using Initial = std::int64_t;

  explicit ServedSemaphore(std::int64_t value) : ServedSemaphore(value, false) {}

  bool acquire(Timeout timeout);
  void release(std::int64_t n);
  std::uint32_t value() const;

 protected:
  ServedSemaphore(std::int64_t value, bool bounded);

 private:
  mutable std::mutex mutex_;
  Gate gate_;
  std::int64_t value_;
  std::int64_t most_;
};

/// What a BoundedSemaphoreProxy is a proxy of.
class ServedBoundedSemaphore : public ServedSemaphore {
 public:
  explicit ServedBoundedSemaphore(std::int64_t value) : ServedSemaphore(value, true) {}
};

/// What an EventProxy is a proxy of.
class ServedEvent {
 public:
  void set();
  void clear();
  bool is_set() const;
  bool wait(Timeout timeout);

 private:
  mutable std::mutex mutex_;
  Gate gate_;
  bool set_ = false;
  std::uint64_t times_set_ = 0;  ///< so that those who wait go on, also if it is cleared at once
};

/// What a BarrierProxy is a proxy of.
class ServedBarrier {
 public:
  explicit ServedBarrier(std::size_t parties, Function<void()> action = {});
  ~ServedBarrier();

  std::size_t wait(Timeout timeout);
  void reset();
  void abort();
  std::size_t parties() const { return parties_; }
  std::size_t n_waiting() const;
  bool broken() const;

 private:
  struct State;

  const std::size_t parties_;
  const std::unique_ptr<State> state_;
};

}  // namespace procession::detail

namespace procession {

template <>
inline constexpr bool concurrent_calls<detail::ServedLock> = true;
template <>
inline constexpr bool concurrent_calls<detail::ServedRLock> = true;
template <>
inline constexpr bool concurrent_calls<detail::ServedCondition> = true;
template <>
inline constexpr bool concurrent_calls<detail::ServedSemaphore> = true;
template <>
inline constexpr bool concurrent_calls<detail::ServedBoundedSemaphore> = true;
template <>
inline constexpr bool concurrent_calls<detail::ServedEvent> = true;
template <>
inline constexpr bool concurrent_calls<detail::ServedBarrier> = true;

}  // namespace procession
