#include "channel/lane_receiver.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "channel/lane_sender.hpp"
#include "channel/relay.hpp"
#include "heap/testing.hpp"

namespace procession::channel {

namespace {

using heap::testing::step;
using platform::Bell;

/// Has `Lane::seat` to the end of the scope, unless somebody else does.
class Seat {
 public:
  explicit Seat(Lane& lane) noexcept : lane_(lane) {
    const platform::LockResult result = lane.seat.try_lock();
    taken_ = result.acquired;
    if (result.previous_owner_died) lane.seat.make_consistent();
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() {
    if (taken_) lane_.seat.unlock();
  }

  [[nodiscard]] bool taken() const noexcept { return taken_; }

 private:
  Lane& lane_;
  bool taken_;
};

/// Whether the descriptor tells of the message that is there, if that matters. Under SendLock.
bool is_told(Lane& lane, bool has_seat, int bell) {
  if (lane.watched.load(std::memory_order_relaxed) == 0 || lane.bell_state() != kRinging) {
    return true;
  }
  // Who has the seat is the only one to take bytes out of the socket.
  if (!has_seat ||
      platform::watch_bell(bell, platform::Deadline(std::chrono::nanoseconds(0))) == Bell::silent) {
    return false;
  }
  lane.left = 0;
  step();
  lane.set_bell(kRung);
  step();
  return true;
}

/// Takes the bytes out of the socket unless there may be a message. Where somebody sleeps, or is
/// about to, that one takes them.
Bell silence_if_empty(Lane& lane, int bell) {
  const Seat seat(lane);
  const SendLock sending(lane);
  if (lane.may_have_message()) return is_told(lane, seat.taken(), bell) ? Bell::rung : Bell::silent;
  if (!seat.taken()) return Bell::silent;
  lane.set_bell(kSilent);
  step();
  lane.sleeping = 0;
  step();
  lane.left = 0;
  step();
  return platform::silence_bell(bell);
}

struct Place {
  Frame frame;
  std::uint64_t position;
  std::uint64_t end;
  const std::byte* body;
};

/// The frame at `position`, if it is one and whole.
std::optional<Place> read_frame(const Lane& lane, std::uint64_t position, std::uint64_t tail) {
  Place place{};
  const std::uint64_t rest = kRingBytes - position % kRingBytes;
  if (tail - position > kRingBytes || rest % kFrameUnit != 0) return std::nullopt;
  std::memcpy(&place.frame, lane.ring + position % kRingBytes, sizeof place.frame);
  const Frame& frame = place.frame;
  if (frame.seal != seal_of(frame, position)) return std::nullopt;
  place.position = position;
  place.body = lane.ring + position % kRingBytes + sizeof frame;
  if (frame.size == kFiller) {
    place.end = position + rest;
    return place.end < tail ? std::optional(place) : std::nullopt;
  }
  const std::uint64_t here = frame.hold_id == 0 ? frame.size : 0;
  const std::uint64_t most = std::min(rest, tail - position);
  if (here > detail::Incoming::kInline || frame.name_size > most ||
      sizeof frame + here + frame.name_size > most) {
    return std::nullopt;
  }
  const std::uint64_t used = sizeof frame + here + frame.name_size;
  place.end = position + (used + kFrameUnit - 1) / kFrameUnit * kFrameUnit;
  return place;
}

std::optional<Place> first_message(const Lane& lane) {
  const std::uint64_t tail = lane.tail.load(std::memory_order_acquire);
  // Lines behind the frame are on their way from the sender's cache while the frame is looked at.
  const std::uint64_t fetched = std::min(tail, lane.taken + kMostFetched);
  for (std::uint64_t line = lane.taken + kFrameUnit; line < fetched; line += kFrameUnit)
    __builtin_prefetch(lane.ring + line % kRingBytes);
  std::optional<Place> place = read_frame(lane, lane.taken, tail);
  if (place && place->frame.size == kFiller) place = read_frame(lane, place->end, tail);
  return place && place->frame.size != kFiller ? place : std::nullopt;
}

/// `taken` has moved over the message.
[[gnu::always_inline]] inline void note_taken(Lane& lane, const Place& place) {
  step();
  lane.received.store(place.frame.total, std::memory_order_relaxed);
  step();
  lane.freed.store(place.end, std::memory_order_release);
  step();
  // A sender that waits for room in a full ring is woken when half of it is free: not for each
  // message anew.
  if (lane.tail.load(std::memory_order_relaxed) - place.end <= kRingBytes / 2) {
    lane.room.wake_one();
  }
}

/// Whether there is a message that is relayed; true of a filler, too. Under ReceiveLock.
bool may_be_relayed(const Lane& lane) {
  std::uint64_t size = 0;
  std::memcpy(&size, lane.ring + lane.taken % kRingBytes, sizeof size);
  return !is_empty(lane) && (size & kRelayed) != 0;
}

/// Takes the messages off the front that are lost with their senders, so that nobody is told of
/// them. Under ReceiveLock.
[[gnu::noinline]] void drop_lost(Lane& lane) {
  while (may_be_relayed(lane)) {
    const std::optional<Place> place = first_message(lane);
    if (!place || (place->frame.size & kRelayed) == 0 ||
        !is_lost(*heap::at<Relay>(heap::target(place->frame.hold_id)))) {
      return;
    }
    step();
    heap::move(place->frame.hold_id, heap::self(), &lane.taken, place->end);
    const heap::Block lost = heap::Block::own(place->frame.hold_id);
    note_taken(lane, *place);
  }
}

}  // namespace

ReceiveLock::ReceiveLock(Lane& lane) noexcept : lane_(lane) {
  if (!lane.receiving.lock().previous_owner_died) return;
  heap::settle();
  lane.freed = lane.taken;
  step();
  lane.receiving.make_consistent();
}

bool is_empty(const Lane& lane) noexcept {
  return lane.taken == lane.tail.load(std::memory_order_acquire);
}

Take take(Lane& lane, detail::Incoming& message, int bell) {
  const ReceiveLock lock(lane);
  if (is_empty(lane)) return Take::empty;
  const std::optional<Place> place = first_message(lane);
  if (!place) return Take::damaged;
  const Frame& frame = place->frame;
  const std::size_t here = frame.hold_id == 0 ? frame.size : 0;
  message.describe(frame.fingerprint,
                   {reinterpret_cast<const char*>(place->body + here), frame.name_size});
  step();
  if (frame.hold_id == 0) {
    message.fill({place->body, here});
    std::atomic_ref<std::uint64_t>(lane.taken).store(place->end, std::memory_order_release);
  } else {
    // From here on, the block is this process's, and so is what is in it.
    heap::move(frame.hold_id, heap::self(), &lane.taken, place->end);
    message.own(frame.hold_id, frame.size & ~kRelayed);
  }
  note_taken(lane, *place);
  if (lane.watched.load(std::memory_order_relaxed) != 0 && is_empty(lane) &&
      silence_if_empty(lane, bell) == Bell::foreign) {
    return Take::damaged;
  }
  return (frame.size & kRelayed) != 0 ? Take::relayed : Take::done;
}

Bell settle_bell(Lane& lane, int bell) {
  for (;;) {
    const Bell found = silence_if_empty(lane, bell);
    if (found != Bell::rung) return found;
    // To get the lock is to know: whoever was receiving, or died over it, has settled it.
    const ReceiveLock receiving(lane);
    if (may_be_relayed(lane)) [[unlikely]]
      drop_lost(lane);
    if (!is_empty(lane)) return Bell::rung;
  }
}

Bell sleep(Lane& lane, int bell, std::chrono::nanoseconds nap) {
  const Seat seat(lane);
  unsigned left = 0;
  {
    const SendLock sending(lane);
    if (lane.may_have_message()) return Bell::rung;
    if (seat.taken()) {
      left = lane.bell_state() == kRinging ? 0 : lane.left;
      step();
      lane.set_bell(kSilent);
      step();
      lane.sleeping = 1;
      step();
      lane.left = 0;
      step();
    }
  }
  if (!seat.taken()) return platform::watch_bell(bell, platform::Deadline(nap));
  const Bell found = platform::await_bell(bell, left + 1, nap);
  // The bell has been rung, whatever its sender, which may have been overtaken, still does.
  std::uint32_t word = lane.bell.load(std::memory_order_relaxed);
  if (found == Bell::rung && word % kBellStates == kRinging) {
    lane.bell.compare_exchange_strong(word, word - kRinging + kRung, std::memory_order_relaxed);
  }
  return found;
}

}  // namespace procession::channel
