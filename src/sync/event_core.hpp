#pragma once

#include <cstdint>

#include "sync/event_count.hpp"

namespace procession::sync {

/// An event in shared memory, zeroed.
template <class S>
struct EventBody {
  /// Bit 0: it is set. Bits 1-31: how often it was, by which a waiter learns of a moment that it
  /// missed.
  typename S::template Word<std::uint32_t> state;
  BasicEventCount<S> waiters;
};

/// What is done to an event in shared memory.
template <class S>
class EventOn {
 public:
  explicit EventOn(EventBody<S>& body) : body_(body) {}

  void set() noexcept {
    std::uint32_t found = body_.state.load();
    while ((found & 1) == 0 && !body_.state.compare_exchange_weak(found, (found + 2) | 1)) {
    }
    S::crash_point();
    // Also where it was set already: the one who set it may have been killed before it woke anyone.
    body_.waiters.wake_all();
  }

  void clear() noexcept { body_.state.fetch_and(~1U); }

  [[nodiscard]] bool is_set() const noexcept { return (body_.state.load() & 1) != 0; }

  /// False when the deadline passes first.
  bool wait(const typename S::Deadline& deadline) noexcept {
    BasicSleeper<S> sleeper(deadline);
    const std::uint32_t before = body_.state.load() & ~1U;
    const auto happened = [&] {
      const std::uint32_t now = body_.state.load();
      return (now & 1) != 0 || now != before;
    };
    while (!happened()) {
      const std::uint32_t seen = body_.waiters.prepare();
      if (happened()) break;
      if (!sleeper.sleep(body_.waiters, seen)) return false;
    }
    sleeper.leave(body_.waiters);
    return true;
  }

 private:
  EventBody<S>& body_;
};

}  // namespace procession::sync
