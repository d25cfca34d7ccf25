#pragma once

#include <cstddef>
#include <cstdint>

// The states of a barrier. A barrier goes through generations, each of which is of those who wait
// for each other once. Its one state word is the number of the generation and its phase:
//
//   phase      it means that            a party comes    the action      a time-out  reset()
//   abort()  a party of it
//                                                        ends            passes is found dead
//   ---------  -----------------------  ---------------  --------------  ----------  ---------
//   -------  ------------- filling    fewer than all are in    is in; the last  - broken resetting
//   broken   broken
//                                       one: acting, or
//                                       passing where
//                                       there is no
//                                       action
//   acting     all are in, and the      waits outside    passing; or it  waits on    resetting
//   broken   broken
//              last runs the action                      threw: broken
//   broken     nobody passes            is refused       nothing         -           resetting
//   broken   broken passing    all go on                (Both are over before the mutex is given
//   back; where their maker was resetting  all fail                 killed, the next one who has
//   the mutex finishes first what they are for.)
//
// After passing and resetting the next generation is filling. Each one who is in has a place, whose
// word is a generation and an end: `none` while it waits. An end is told by writing it there, so a
// waiter learns the end of its own generation however many have ended since, and however late it
// looks. A place is free when nobody who lives is in it and nobody waits there in the present
// generation: a dead party's place must break the barrier before it is used again.
//
// Each member of BarrierStates is called under the barrier's mutex, makes good first what a killed
// process left, and may itself be killed at every store.

namespace procession::sync {

enum class BarrierPhase : std::uint64_t { filling, acting, broken, passing, resetting };

/// How a party's wait ends.
enum class BarrierEnd : std::uint64_t { none, passed, broken, reset };

/// What became of one who came.
struct BarrierArrival {
  enum What {
    in,       ///< it waits in its place until it is told
    last,     ///< the same, and the action is its to run
    refused,  ///< the barrier is broken
    outside,  ///< it has to wait until the action has ended, or a place is free
  };
  What what;
  std::size_t place = 0;
  std::size_t before = 0;  ///< how many were in
};

/// `Memory` is where a barrier lies, and who lives:
///     parties()                     of the barrier
///     places()                      how many there are
///     more()                        whether one more has been made at the end
///     state(), set_state(word)
///     place(i), set_place(i, word)  its word
///     take(i)                       makes the caller its occupant; false: somebody who lives is
///     lives(i)                      whether its occupant does
///     wake()                        all who wait in places and outside
template <class Memory>
class BarrierStates {
  using Phase = BarrierPhase;
  using End = BarrierEnd;

 public:
  explicit BarrierStates(Memory& memory) : memory_(memory) {}

  /// The first generation is 1: a zeroed place is of none.
  static constexpr std::uint64_t initial() { return std::uint64_t{1} << kPhaseBits; }
  static constexpr End end_of(std::uint64_t place) {
    return static_cast<End>(place & ((1U << kEndBits) - 1));
  }
  static constexpr std::uint64_t generation_of_place(std::uint64_t place) {
    return place >> kEndBits;
  }

  BarrierArrival arrive(bool has_action) {
    const std::size_t before = look();
    if (phase() == Phase::broken) return {BarrierArrival::refused};
    if (phase() == Phase::acting) return {BarrierArrival::outside};
    std::size_t at = 0;
    if (!take_place(at)) return {BarrierArrival::outside};
    memory_.set_place(at, waiting());
    if (before + 1 < memory_.parties()) return {BarrierArrival::in, at, before};
    if (has_action) {
      enter(Phase::acting);
      return {BarrierArrival::last, at, before};
    }
    enter(Phase::passing);
    return {BarrierArrival::in, at, before};
  }

  /// The action has ended, which the one in this place ran.
  void acted(std::size_t place, bool well) {
    look();
    if (told(place)) return;
    enter(well ? Phase::passing : Phase::broken);
  }

  /// A time-out has passed for the one in this place; whether that broke the barrier.
  bool give_up(std::size_t place) {
    look();
    if (told(place) || phase() == Phase::acting) return false;
    enter(Phase::broken);
    return true;
  }

  /// The same for one outside. What is acting has all its parties, and needs no other.
  bool give_up_outside() {
    look();
    if (phase() == Phase::acting) return false;
    enter(Phase::broken);
    return true;
  }

  void reset() {
    settle();
    enter(Phase::resetting);
  }
  void abort() {
    settle();
    enter(Phase::broken);
  }

  /// How many are in; breaks the barrier when one of them has died.
  std::size_t look() {
    settle();
    std::size_t in = 0;
    if (phase() == Phase::broken) return in;
    for (std::size_t i = 0; i < memory_.places(); ++i) {
      if (memory_.place(i) != waiting()) continue;
      if (!memory_.lives(i)) {
        enter(Phase::broken);
        return 0;
      }
      ++in;
    }
    return in;
  }

  bool broken() {
    look();
    return phase() == Phase::broken;
  }

 private:
  static constexpr unsigned kPhaseBits = 3;
  static constexpr unsigned kEndBits = 2;

  [[nodiscard]] Phase phase() const {
    return static_cast<Phase>(memory_.state() & ((1U << kPhaseBits) - 1));
  }
  [[nodiscard]] std::uint64_t generation() const { return memory_.state() >> kPhaseBits; }
  /// The word of a place in which somebody waits in this generation.
  [[nodiscard]] std::uint64_t waiting() const { return generation() << kEndBits; }
  [[nodiscard]] bool told(std::size_t place) const {
    return end_of(memory_.place(place)) != End::none;
  }

  void enter(Phase next) {
    memory_.set_state(generation() << kPhaseBits | static_cast<std::uint64_t>(next));
    settle();
  }

  /// Does all that the phase asks for.
  void settle() {
    switch (phase()) {
      case Phase::filling:
      case Phase::acting:
        return;
      case Phase::broken:
        tell(End::broken);
        return;
      case Phase::passing:
        tell(End::passed);
        break;
      case Phase::resetting:
        tell(End::reset);
        break;
    }
    memory_.set_state((generation() + 1) << kPhaseBits);
    memory_.wake();
  }

  void tell(End end) {
    const std::uint64_t waits = waiting();
    bool any = false;
    for (std::size_t i = 0; i < memory_.places(); ++i) {
      if (memory_.place(i) != waits) continue;
      memory_.set_place(i, waits | static_cast<std::uint64_t>(end));
      any = true;
    }
    if (any) memory_.wake();
  }

  bool take_place(std::size_t& at) {
    for (at = 0; at < memory_.places() || memory_.more(); ++at) {
      if (memory_.place(at) != waiting() && memory_.take(at)) return true;
    }
    return false;
  }

  Memory& memory_;
};

}  // namespace procession::sync
