#pragma once

#include <cstddef>
#include <cstdint>

#include "procession/timeout.hpp"
#include "sync/barrier_states.hpp"
#include "sync/event_count.hpp"
#include "sync/liveness_slot.hpp"

namespace procession::sync {

/// A barrier in shared memory, zeroed. Its places follow, two for each party: those of the last
/// generations may not have left yet.
template <class S>
struct BarrierBody {
  struct Place {
    BasicLivenessSlot<S> liveness;
    typename S::template Word<std::uint64_t> word;
  };

  std::uint64_t parties;
  typename S::Mutex mutex;
  typename S::template Word<std::uint64_t> state;
  BasicEventCount<S> waiters;  ///< who are in
  BasicEventCount<S> outside;

  [[nodiscard]] std::size_t places() const { return 2 * parties; }
  Place& place(std::size_t at) { return reinterpret_cast<Place*>(this + 1)[at]; }
};

/// What came of a wait at a barrier.
struct BarrierWait {
  enum What {
    passed,
    broken,         ///< while it waited
    reset,          ///< while it waited
    timed_out,      ///< which broke it
    refused,        ///< it was broken already
    action_failed,  ///< in the calling thread
  };
  What what;
  std::size_t before = 0;
  std::uint64_t generation = 0;
};

/// What is done to a barrier in shared memory, by any thread of any process.
template <class S>
class BarrierOn {
  using Deadline = typename S::Deadline;
  using Body = BarrierBody<S>;

  struct Memory {
    Body& body;

    [[nodiscard]] std::uint64_t parties() const { return body.parties; }
    [[nodiscard]] std::size_t places() const { return body.places(); }
    static bool more() { return false; }
    [[nodiscard]] std::uint64_t state() const { return body.state.load(); }
    void set_state(std::uint64_t word) {
      body.state.store(word);
      S::crash_point();
    }
    [[nodiscard]] std::uint64_t place(std::size_t i) const { return body.place(i).word.load(); }
    void set_place(std::size_t i, std::uint64_t word) {
      body.place(i).word.store(word);
      S::crash_point();
    }
    bool take(std::size_t i) {
      const bool taken = body.place(i).liveness.enter();
      S::crash_point();
      return taken;
    }
    bool lives(std::size_t i) { return body.place(i).liveness.occupied(); }
    void wake() {
      body.waiters.wake_all();
      body.outside.wake_all();
    }
  };

  /// The barrier, by the only one who changes its state.
  class Locked : public BarrierStates<Memory> {
   public:
    explicit Locked(Body& body) : BarrierStates<Memory>(memory_), memory_{body} {
      if (body.mutex.lock().previous_owner_died) body.mutex.make_consistent();
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    ~Locked() { memory_.body.mutex.unlock(); }

   private:
    Memory memory_;
  };

 public:
  explicit BarrierOn(Body& body) : body_(body) {}

  void init(std::size_t parties) {
    body_.parties = parties;
    body_.mutex.init();
    body_.state.store(BarrierStates<Memory>::initial());
    for (std::size_t i = 0; i < body_.places(); ++i)
      body_.place(i).liveness.init();
  }

  /// `act` is called, and says whether the action ended well, where `has_action`; under no lock.
  template <class Act>
  BarrierWait wait(const Deadline& deadline, bool has_action, Act act) {
    BarrierArrival arrival{BarrierArrival::outside};
    if (!come(deadline, has_action, arrival)) return {BarrierWait::timed_out};
    if (arrival.what == BarrierArrival::refused) return {BarrierWait::refused};
    const std::uint64_t generation =
        BarrierStates<Memory>::generation_of_place(body_.place(arrival.place).word.load());
    BarrierWait::What what = BarrierWait::passed;
    if (arrival.what == BarrierArrival::last) {
      const bool well = act();
      Locked(body_).acted(arrival.place, well);
      what = well ? what_of(end_of(arrival.place)) : BarrierWait::action_failed;
    } else {
      what = sleep_until_told(arrival.place, deadline) ? what_of(end_of(arrival.place))
                                                       : BarrierWait::timed_out;
    }
    leave(arrival.place);
    return {what, arrival.before, generation};
  }

  void reset() { Locked(body_).reset(); }
  void abort() { Locked(body_).abort(); }
  std::size_t n_waiting() { return Locked(body_).look(); }
  bool broken() { return Locked(body_).broken(); }

 private:
  /// Until it is in, or refused. False: it gave up.
  bool come(const Deadline& deadline, bool has_action, BarrierArrival& arrival) {
    const Deadline never{Timeout()};
    BasicSleeper<S> until_deadline(deadline);
    BasicSleeper<S> until_woken(never);
    for (bool late = false;;) {
      std::uint32_t seen = 0;
      {
        Locked barrier(body_);
        arrival = barrier.arrive(has_action);
        if (arrival.what != BarrierArrival::outside) return true;
        seen = body_.outside.prepare();
        arrival = barrier.arrive(has_action);  // who leaves a place does so without the mutex
        if (arrival.what != BarrierArrival::outside) return true;
      }
      if ((late ? until_woken : until_deadline).sleep(body_.outside, seen)) {
        late = false;
      } else {
        if (Locked(body_).give_up_outside()) return false;
        late = true;  // the action takes the time it takes
      }
    }
  }

  /// False: it gave up.
  bool sleep_until_told(std::size_t place, const Deadline& deadline) {
    const Deadline never{Timeout()};
    BasicSleeper<S> until_deadline(deadline);
    BasicSleeper<S> until_woken(never);
    for (bool late = false;;) {
      if (end_of(place) != BarrierEnd::none) return true;
      const std::uint32_t seen = body_.waiters.prepare();
      if (end_of(place) != BarrierEnd::none) return true;
      if ((late ? until_woken : until_deadline).sleep(body_.waiters, seen)) {
        if (end_of(place) == BarrierEnd::none) Locked(body_).look();
      } else {
        if (Locked(body_).give_up(place)) return false;
        late = true;  // the action takes the time it takes
      }
    }
  }

  BarrierEnd end_of(std::size_t place) {
    return BarrierStates<Memory>::end_of(body_.place(place).word.load());
  }

  static BarrierWait::What what_of(BarrierEnd end) {
    switch (end) {
      case BarrierEnd::passed:
        return BarrierWait::passed;
      case BarrierEnd::reset:
        return BarrierWait::reset;
      default:
        return BarrierWait::broken;
    }
  }

  void leave(std::size_t at) {
    typename Body::Place& place = body_.place(at);
    place.word.store(0);
    S::crash_point();
    place.liveness.leave();
    S::crash_point();
    body_.outside.wake_all_after_unlock();
  }

  Body& body_;
};

}  // namespace procession::sync
