#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sync/event_count.hpp"
#include "sync/liveness_slot.hpp"

namespace procession::sync {

/// A place for one who waits at a condition, zeroed. All but `word` changes under the condition's
/// lock.
template <class S>
struct ConditionWaiter {
  BasicLivenessSlot<S> liveness;
  typename S::template Word<std::uint64_t>
      turn;  ///< who came first has the lowest; 0: nobody waits
  typename S::template Word<std::uint32_t> notified;
  BasicEventCount<S> word;
};

/// What is done to a condition in shared memory, by who has its lock. `Room` is where it lies:
///     find(f)    the first place of which `f` is true; null: of none
///     more()     makes places more
///     turns()    a number: how many have come to wait
template <class S, class Room>
class ConditionOn {
  using Waiter = ConditionWaiter<S>;
  static constexpr auto kPlain = std::memory_order_relaxed;  // the lock orders the rest

 public:
  explicit ConditionOn(Room room) : room_(room) {}

  /// Whether it was notified. `lock` is given up meanwhile: `release()` and `restore()`.
  template <class Lock>
  bool wait(const typename S::Deadline& deadline, Lock& lock) {
    Waiter& self = enter();
    lock.release();
    BasicSleeper<S> sleeper(deadline);
    while (self.notified.load() == 0) {
      const std::uint32_t seen = self.word.prepare();
      if (self.notified.load() != 0 || !sleeper.sleep(self.word, seen)) break;
    }
    lock.restore();
    // Whoever notified it in the meantime counted it, so a time-out that has passed is none.
    const bool notified = self.notified.load() != 0;
    S::crash_point();
    self.turn.store(0, kPlain);
    S::crash_point();
    self.liveness.leave();
    S::crash_point();
    return notified;
  }

  void notify(std::size_t n) {
    for (; n > 0; --n) {
      Waiter* const waiter = longest_waiting();
      if (waiter == nullptr) return;
      S::crash_point();
      wake(*waiter);
    }
  }

 private:
  /// One who is killed here leaves a page that nobody uses, or a place in it whose occupant is seen
  /// to be dead.
  Waiter& enter() {
    Waiter* found = nullptr;
    while ((found = room_.find([](Waiter& one) { return one.liveness.enter(); })) == nullptr)
      room_.more();
    S::crash_point();
    found->notified.store(0);
    S::crash_point();
    found->turn.store(++room_.turns(), kPlain);
    S::crash_point();
    return *found;
  }

  /// `turn` goes last: a waiter without one would never be chosen again.
  void wake(Waiter& waiter) {
    waiter.notified.store(1);
    S::crash_point();
    waiter.turn.store(0, kPlain);
    S::crash_point();
    waiter.word.wake_all();
  }

  /// The one who has waited longest, of those who live; null when nobody waits.
  Waiter* longest_waiting() {
    for (;;) {
      Waiter* first = nullptr;
      room_.find([&](Waiter& one) {
        const std::uint64_t turn = one.turn.load(kPlain);
        if (turn != 0 && (first == nullptr || turn < first->turn.load(kPlain))) first = &one;
        return false;
      });
      if (first == nullptr) return nullptr;
      if (!first->liveness.occupied()) {
        first->turn.store(0, kPlain);  // killed while it waited
      } else if (first->notified.load() != 0) {
        wake(*first);  // chosen by one who was killed over it
      } else {
        return first;
      }
    }
  }

  Room room_;
};

}  // namespace procession::sync
