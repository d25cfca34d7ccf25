#include "channel/pipe_ring_receiver.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "channel/pipe_ring_sender.hpp"
#include "channel/relay.hpp"
#include "heap/testing.hpp"

namespace procession::channel {

namespace {

using heap::testing::step;
using platform::Bell;

/// Has `PipeRing::sleeper_slot` to the end of the scope, unless somebody else does.
class SleeperSlot {
 public:
  explicit SleeperSlot(PipeRing& ring) noexcept : ring_(ring) {
    const platform::LockResult result = ring.sleeper_slot.try_lock();
    taken_ = result.acquired;
    if (result.previous_owner_died) ring.sleeper_slot.make_consistent();
  }
  SleeperSlot(const SleeperSlot&) = delete;
  SleeperSlot& operator=(const SleeperSlot&) = delete;
  ~SleeperSlot() {
    if (taken_) ring_.sleeper_slot.unlock();
  }

  [[nodiscard]] bool taken() const noexcept { return taken_; }

 private:
  PipeRing& ring_;
  bool taken_;
};

/// Whether the descriptor tells of the message that is there, if that matters. Under SendLock.
bool is_told(PipeRing& ring, bool has_sleeper_slot, int bell) {
  if (ring.watched.load(std::memory_order_relaxed) == 0 || ring.bell_state() != kRinging) {
    return true;
  }
  // Who has the seat is the only one to take bytes out of the socket.
  if (!has_sleeper_slot ||
      platform::watch_bell(bell, platform::Deadline(std::chrono::nanoseconds(0))) == Bell::silent) {
    return false;
  }
  ring.left = 0;
  step();
  ring.set_bell(kRung);
  step();
  return true;
}

/// Takes the bytes out of the socket unless there may be a message. Where somebody sleeps, or is
/// about to, that one takes them.
Bell silence_if_empty(PipeRing& ring, int bell) {
  const SleeperSlot sleeper_slot(ring);
  const SendLock sending(ring);
  if (ring.may_have_message())
    return is_told(ring, sleeper_slot.taken(), bell) ? Bell::rung : Bell::silent;
  if (!sleeper_slot.taken()) return Bell::silent;
  ring.set_bell(kSilent);
  step();
  ring.sleeping = 0;
  step();
  ring.left = 0;
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
std::optional<Place> read_frame(const PipeRing& ring, std::uint64_t position, std::uint64_t tail) {
  Place place{};
  const std::uint64_t rest = kRingBytes - position % kRingBytes;
  if (tail - position > kRingBytes || rest % kFrameUnit != 0) return std::nullopt;
  std::memcpy(&place.frame, ring.bytes + position % kRingBytes, sizeof place.frame);
  const Frame& frame = place.frame;
  if (frame.seal != seal_of(frame, position)) return std::nullopt;
  place.position = position;
  place.body = ring.bytes + position % kRingBytes + sizeof frame;
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

std::optional<Place> first_message(const PipeRing& ring) {
  const std::uint64_t tail = ring.tail.load(std::memory_order_acquire);
  // Lines behind the frame are on their way from the sender's cache while the frame is looked at.
  const std::uint64_t fetched = std::min(tail, ring.taken + kMostFetched);
  for (std::uint64_t line = ring.taken + kFrameUnit; line < fetched; line += kFrameUnit)
    __builtin_prefetch(ring.bytes + line % kRingBytes);
  std::optional<Place> place = read_frame(ring, ring.taken, tail);
  if (place && place->frame.size == kFiller) place = read_frame(ring, place->end, tail);
  return place && place->frame.size != kFiller ? place : std::nullopt;
}

/// `taken` has moved over the message.
[[gnu::always_inline]] inline void note_taken(PipeRing& ring, const Place& place) {
  step();
  ring.received.store(place.frame.total, std::memory_order_relaxed);
  step();
  ring.freed.store(place.end, std::memory_order_release);
  step();
  // A sender that waits for room in a full ring is woken when half of it is free: not for each
  // message anew.
  if (ring.tail.load(std::memory_order_relaxed) - place.end <= kRingBytes / 2) {
    ring.room.wake_one();
  }
}

/// Whether there is a message that is relayed; true of a filler, too. Under ReceiveLock.
bool may_be_relayed(const PipeRing& ring) {
  std::uint64_t size = 0;
  std::memcpy(&size, ring.bytes + ring.taken % kRingBytes, sizeof size);
  return !is_empty(ring) && (size & kRelayed) != 0;
}

/// Takes the messages off the front that are lost with their senders, so that nobody is told of
/// them. Under ReceiveLock.
[[gnu::noinline]] void drop_lost(PipeRing& ring) {
  while (may_be_relayed(ring)) {
    const std::optional<Place> place = first_message(ring);
    if (!place || (place->frame.size & kRelayed) == 0 ||
        !is_lost(*heap::at<Relay>(heap::target(place->frame.hold_id)))) {
      return;
    }
    step();
    heap::move(place->frame.hold_id, heap::self(), &ring.taken, place->end);
    const heap::Block lost = heap::Block::own(place->frame.hold_id);
    note_taken(ring, *place);
  }
}

}  // namespace

ReceiveLock::ReceiveLock(PipeRing& ring) noexcept : ring_(ring) {
  if (!ring.receiving.lock().previous_owner_died) return;
  heap::settle();
  ring.freed = ring.taken;
  step();
  ring.receiving.make_consistent();
}

bool is_empty(const PipeRing& ring) noexcept {
  return ring.taken == ring.tail.load(std::memory_order_acquire);
}

Take take(PipeRing& ring, detail::Incoming& message, int bell) {
  const ReceiveLock lock(ring);
  if (is_empty(ring)) return Take::empty;
  const std::optional<Place> place = first_message(ring);
  if (!place) return Take::damaged;
  const Frame& frame = place->frame;
  const std::size_t here = frame.hold_id == 0 ? frame.size : 0;
  message.describe(frame.fingerprint,
                   {reinterpret_cast<const char*>(place->body + here), frame.name_size});
  step();
  if (frame.hold_id == 0) {
    message.fill({place->body, here});
    std::atomic_ref<std::uint64_t>(ring.taken).store(place->end, std::memory_order_release);
  } else {
    // From here on, the block is this process's, and so is what is in it.
    heap::move(frame.hold_id, heap::self(), &ring.taken, place->end);
    message.own(frame.hold_id, frame.size & ~kRelayed);
  }
  note_taken(ring, *place);
  if (ring.watched.load(std::memory_order_relaxed) != 0 && is_empty(ring) &&
      silence_if_empty(ring, bell) == Bell::foreign) {
    return Take::damaged;
  }
  return (frame.size & kRelayed) != 0 ? Take::relayed : Take::done;
}

Bell settle_bell(PipeRing& ring, int bell) {
  for (;;) {
    const Bell found = silence_if_empty(ring, bell);
    if (found != Bell::rung) return found;
    // To get the lock is to know: whoever was receiving, or died over it, has settled it.
    const ReceiveLock receiving(ring);
    if (may_be_relayed(ring)) [[unlikely]]
      drop_lost(ring);
    if (!is_empty(ring)) return Bell::rung;
  }
}

Bell sleep(PipeRing& ring, int bell, std::chrono::nanoseconds nap) {
  const SleeperSlot sleeper_slot(ring);
  unsigned left = 0;
  {
    const SendLock sending(ring);
    if (ring.may_have_message()) return Bell::rung;
    if (sleeper_slot.taken()) {
      left = ring.bell_state() == kRinging ? 0 : ring.left;
      step();
      ring.set_bell(kSilent);
      step();
      ring.sleeping = 1;
      step();
      ring.left = 0;
      step();
    }
  }
  if (!sleeper_slot.taken()) return platform::watch_bell(bell, platform::Deadline(nap));
  const Bell found = platform::await_bell(bell, left + 1, nap);
  // The bell has been rung, whatever its sender, which may have been overtaken, still does.
  std::uint32_t word = ring.bell.load(std::memory_order_relaxed);
  if (found == Bell::rung && word % kBellStates == kRinging) {
    ring.bell.compare_exchange_strong(word, word - kRinging + kRung, std::memory_order_relaxed);
  }
  return found;
}

}  // namespace procession::channel
