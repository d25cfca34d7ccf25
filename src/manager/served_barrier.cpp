#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "manager/caller.hpp"
#include "platform/copy_check.hpp"
#include "platform/deadline.hpp"
#include "procession/barrier.hpp"
#include "procession/detail/served_sync.hpp"
#include "procession/error.hpp"
#include "sync/barrier_failure.hpp"
#include "sync/barrier_states.hpp"

namespace procession::detail {

using sync::BarrierArrival;
using sync::BarrierEnd;

/// The memory of its states, and who waits: each place is of a caller, and there are as many as
/// there were ever callers at a time.
struct ServedBarrier::State {
  State(std::size_t number, Function<void()> function) : all(number), action(std::move(function)) {}

  // What BarrierStates asks for, under the mutex.
  [[nodiscard]] std::uint64_t parties() const { return all; }
  [[nodiscard]] std::size_t places() const { return callers.size(); }
  bool more() {
    callers.emplace_back();
    return true;
  }
  [[nodiscard]] std::uint64_t state() const { return word; }
  void set_state(std::uint64_t next) { word = next; }
  [[nodiscard]] std::uint64_t place(std::size_t i) const { return callers[i].word; }
  void set_place(std::size_t i, std::uint64_t next) { callers[i].word = next; }
  bool take(std::size_t i) {
    if (callers[i].caller != nullptr) return false;
    callers[i].caller = &manager::Caller::current();
    return true;
  }
  bool lives(std::size_t i) { return !callers[i].caller->gone(); }
  void wake() { gate.all(); }

  [[nodiscard]] BarrierEnd end_of(std::size_t i) const {
    return sync::BarrierStates<State>::end_of(callers[i].word);
  }

  struct Place {
    manager::Caller* caller = nullptr;
    std::uint64_t word = 0;
  };

  const std::size_t all;
  const Function<void()> action;
  std::mutex mutex;
  Gate gate;
  std::uint64_t word = sync::BarrierStates<State>::initial();
  std::vector<Place> callers;
  sync::BarrierStates<State> states{*this};
};

namespace {

/// Until `ready()`; where `give_up()`, which is asked when the time is over, says that it is not
/// the time yet, for as long as it takes. False: it gave up.
template <class Ready, class GiveUp>
bool wait_or_give_up(Gate& gate, std::unique_lock<std::mutex>& lock,
                     const platform::Deadline& deadline, Ready ready, GiveUp give_up) {
  if (gate.wait(lock, deadline.left(), ready)) return true;
  if (give_up()) return false;
  return gate.wait(lock, {}, ready);
}

}  // namespace

ServedBarrier::ServedBarrier(std::size_t parties, Function<void()> action)
    : parties_(parties), state_(std::make_unique<State>(parties, std::move(action))) {
  check_parties(parties);
}

ServedBarrier::~ServedBarrier() = default;

std::size_t ServedBarrier::wait(Timeout timeout) {
  const platform::Deadline deadline(timeout);
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  BarrierArrival arrival{BarrierArrival::outside};
  const auto arrive = [&] {
    arrival = state.states.arrive(static_cast<bool>(state.action));
    return arrival.what != BarrierArrival::outside;
  };
  if (!wait_or_give_up(state.gate, lock, deadline, arrive,
                       [&] { return state.states.give_up_outside(); })) {
    sync::throw_broken("broke: a time-out passed");
  }
  if (arrival.what == BarrierArrival::refused) sync::throw_broken("is broken");

  const std::size_t place = arrival.place;
  const auto is_told = [&] { return state.end_of(place) != BarrierEnd::none; };
  std::exception_ptr thrown;
  bool in_time = true;
  if (arrival.what == BarrierArrival::last) {
    lock.unlock();
    const platform::CopyCheck check;
    try {
      state.action();
    } catch (...) {
      thrown = std::current_exception();
    }
    check.end_copies("the action of a Barrier");
    lock.lock();
    state.states.acted(place, thrown == nullptr);
  } else {
    try {
      in_time = wait_or_give_up(state.gate, lock, deadline, is_told,
                                [&] { return state.states.give_up(place); });
    } catch (...) {  // the caller has gone
      thrown = std::current_exception();
      if (!is_told()) state.states.abort();
    }
  }
  const BarrierEnd end = state.end_of(place);
  state.callers[place] = {};
  if (thrown != nullptr) std::rethrow_exception(thrown);
  if (!in_time) sync::throw_broken("broke: a time-out passed");
  if (end == BarrierEnd::reset) sync::throw_reset();
  if (end == BarrierEnd::broken) {
    sync::throw_broken(
        "broke: one of its parties has ended, gave up, or called abort(), or its action failed");
  }
  return arrival.before;
}

void ServedBarrier::reset() {
  const CallGuard guard(state_->mutex);
  state_->states.reset();
}

void ServedBarrier::abort() {
  const CallGuard guard(state_->mutex);
  state_->states.abort();
}

std::size_t ServedBarrier::n_waiting() const {
  const std::lock_guard guard(state_->mutex);
  return state_->states.look();
}

bool ServedBarrier::broken() const {
  const std::lock_guard guard(state_->mutex);
  return state_->states.broken();
}

}  // namespace procession::detail
