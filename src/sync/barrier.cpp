#include "procession/barrier.hpp"

#include <stdexcept>
#include <string>

#include "heap/block_encoder.hpp"
#include "heap/testing.hpp"
#include "procession/error.hpp"
#include "sync/object.hpp"
#include "sync/presence.hpp"
#include "sync/wait_word.hpp"

namespace procession {

namespace {

using heap::testing::step;
using sync::Presence;

constexpr const char* kBarrier = "a Barrier";

struct Place {
  Presence presence;
  std::atomic<std::uint64_t> round;  ///< in which its occupant came
};

/// How many wait is never counted: it is looked up who is there, and who was there and is dead.
struct BarrierObject {
  detail::ObjectHeader header;
  std::uint64_t parties;
  heap::Offset action;        ///< encoded; 0: none. The barrier's block holds it.
  std::uint64_t action_size;  ///< bytes
  platform::RobustMutex mutex;
  /// Bit 0: the current round is broken. Bits 1-63: its number.
  std::atomic<std::uint64_t> state;
  std::atomic<std::uint64_t> reset;  ///< the last round that was ended by `reset`; its waiters fail
  sync::WaitWord waiters;
  Place places[1];  ///< two for each party: those of the last round may not have left yet
};

BarrierObject& barrier_of(const detail::Handle& handle) {
  return handle.object<BarrierObject>(kBarrier);
}

std::uint64_t round_of(std::uint64_t state) { return state >> 1; }
bool is_broken(std::uint64_t state) { return (state & 1) != 0; }

class Guard {
 public:
  explicit Guard(BarrierObject& barrier) : barrier_(barrier) {
    if (barrier_.mutex.lock().previous_owner_died) barrier_.mutex.make_consistent();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { barrier_.mutex.unlock(); }

 private:
  BarrierObject& barrier_;
};

void break_it(BarrierObject& barrier) {
  barrier.state |= 1;
  step();
  barrier.waiters.wake_all();
}

/// Who came to this round, without `self`; breaks the barrier when one of them has died. Under the
/// mutex.
std::size_t look_around(BarrierObject& barrier, const Place* self) {
  std::size_t others = 0;
  for (std::uint64_t i = 0; i < 2 * barrier.parties; ++i) {
    Place& place = barrier.places[i];
    if (&place == self || place.round != round_of(barrier.state)) continue;
    if (place.presence.occupied()) {
      ++others;
    } else {
      break_it(barrier);  // before the dead one is forgotten
      step();
      place.round = 0;
    }
  }
  return others;
}

Place& enter(BarrierObject& barrier) {
  for (std::uint64_t i = 0; i < 2 * barrier.parties; ++i) {
    Place& place = barrier.places[i];
    if (!place.presence.enter()) continue;
    step();
    place.round = round_of(barrier.state);
    step();
    return place;
  }
  throw ProcessError("more than the " + std::to_string(barrier.parties) +
                     " parties of a Barrier wait at it; make it for as many as use it");
}

void leave(Place& place) {
  place.round = 0;
  step();
  place.presence.leave();
  step();
}

void run_action(const BarrierObject& barrier) {
  if (barrier.action == 0) return;
  Decoder decoder({heap::at(barrier.action), barrier.action_size});
  procession::decode<Function<void()>>(decoder)();
}

[[noreturn]] void throw_broken(const char* why) {
  throw BrokenBarrier(std::string("waited at a Barrier that ") + why +
                      "; call reset() when all are ready to start again");
}

/// The last one has come.
void open(BarrierObject& barrier) {
  try {
    run_action(barrier);
  } catch (...) {
    break_it(barrier);
    throw;
  }
  barrier.state += 2;
  step();
  barrier.waiters.wake_all();
}

/// Whether the round ended well, once it has ended.
bool ended(const BarrierObject& barrier, std::uint64_t round) {
  const std::uint64_t now = barrier.state;
  if (round_of(now) == round && is_broken(now)) {
    throw_broken("broke: one of its parties was killed, gave up, or called abort()");
  }
  if (barrier.reset == round) throw_broken("was reset");
  return round_of(now) != round;
}

/// False when the deadline passes first.
bool sleep_until_end(BarrierObject& barrier, const Place& self,
                     const platform::Deadline& deadline) {
  sync::Sleeper sleeper(deadline);
  const std::uint64_t round = self.round;
  while (!ended(barrier, round)) {
    const std::uint32_t seen = barrier.waiters.prepare();
    if (ended(barrier, round)) break;
    if (!sleeper.sleep(barrier.waiters, seen)) return false;
    const Guard guard(barrier);
    if (round_of(barrier.state) == round) look_around(barrier, &self);
  }
  return true;
}

}  // namespace

Barrier::Barrier(std::size_t parties, Function<void()> action) {
  if (parties == 0) {
    throw std::invalid_argument("a Barrier for 0 parties was asked for; nobody could wait at it");
  }
  heap::BlockEncoder encoder;
  if (action) {
    procession::encode(encoder, action);
    refuse_noted_address(encoder, "the action of a Barrier");
  }
  handle_ = sync::make_object<BarrierObject>(
      sync::header(sync::Kind::barrier),
      [&](BarrierObject& made, heap::Offset offset) {
        made.parties = parties;
        made.mutex.init();
        made.state = 2;  // the first round: 0 is nobody's
        for (std::size_t i = 0; i < 2 * parties; ++i)
          made.places[i].presence.init();
        if (!action) return;
        made.action_size = encoder.size();
        heap::Block block = encoder.take();
        made.action = block.offset();
        heap::move(block.ticket(), offset);
        static_cast<void>(block.release());
      },
      2 * parties * sizeof(Place));
}

void Barrier::read(Decoder& decoder) {
  handle_ = detail::Handle::decode(decoder, sync::header(sync::Kind::barrier), kBarrier);
}

std::size_t Barrier::wait(Timeout timeout) const {
  BarrierObject& barrier = barrier_of(handle_);
  const platform::Deadline deadline(timeout);
  Place* place = nullptr;
  std::size_t before = 0;
  try {
    {
      const Guard guard(barrier);
      before = look_around(barrier, nullptr);
      if (is_broken(barrier.state)) throw_broken("is broken");
      place = &enter(barrier);
      if (before + 1 == barrier.parties) {
        open(barrier);
        leave(*place);
        return before;
      }
    }
    if (!sleep_until_end(barrier, *place, deadline)) {
      const Guard guard(barrier);
      if (!ended(barrier, place->round)) {
        break_it(barrier);
        throw_broken("broke: a time-out passed");
      }
    }
  } catch (...) {
    if (place != nullptr) leave(*place);
    throw;
  }
  leave(*place);
  return before;
}

void Barrier::reset() const {
  BarrierObject& barrier = barrier_of(handle_);
  const Guard guard(barrier);
  barrier.reset = round_of(barrier.state);
  barrier.state = (round_of(barrier.state) + 1) << 1;
  barrier.waiters.wake_all();
}

void Barrier::abort() const {
  BarrierObject& barrier = barrier_of(handle_);
  const Guard guard(barrier);
  break_it(barrier);
}

std::size_t Barrier::parties() const { return barrier_of(handle_).parties; }

std::size_t Barrier::n_waiting() const {
  BarrierObject& barrier = barrier_of(handle_);
  const Guard guard(barrier);
  return look_around(barrier, nullptr);
}

bool Barrier::broken() const { return is_broken(barrier_of(handle_).state); }

}  // namespace procession
