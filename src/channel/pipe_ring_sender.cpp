#include "channel/pipe_ring_sender.hpp"

#include <algorithm>
#include <cstring>

#include "heap/testing.hpp"
#include "platform/doorbell.hpp"

namespace procession::channel {

namespace {

using heap::testing::step;

std::string_view name_of(const Outgoing& message) noexcept {
  constexpr std::size_t kMost = 120;
  return message.type.substr(0, kMost);
}

/// What the frame takes at `tail`: itself, and what is left of the ring where it does not fit.
std::uint64_t filler_at(std::uint64_t tail, std::size_t size) noexcept {
  const std::uint64_t rest = kRingBytes - tail % kRingBytes;
  return size > rest ? rest : 0;
}

bool fits(const PipeRing& ring, const Outgoing& message, std::uint64_t freed,
          std::uint64_t received) noexcept {
  const std::uint64_t tail = ring.tail.load(std::memory_order_relaxed);
  const std::size_t size = ring_bytes(message);
  if (tail + filler_at(tail, size) + size - freed > kRingBytes) return false;
  return tail == freed || ring.total + message.size - received <= kMostOnTheWay;
}

void seal(PipeRing& ring, std::uint64_t position, Frame frame) noexcept {
  frame.seal = seal_of(frame, position);
  std::memcpy(ring.bytes + position % kRingBytes, &frame, sizeof frame);
}

}  // namespace

SendLock::SendLock(PipeRing& ring) noexcept : ring_(ring) {
  if (!ring.sending.lock().previous_owner_died) return;
  heap::settle();
  const heap::HoldId pending = ring.pending;
  if (pending != 0 && ring.tail == ring.pending_at) {
    // Its frame was not published. Made this process's own and forgotten in one step, so that it
    // is dropped once.
    if (heap::move_if(pending, heap::self(), &ring.pending, pending, 0)) heap::drop(pending);
  } else {
    ring.pending = 0;
  }
  step();
  ring.sending.make_consistent();
}

std::size_t ring_bytes(const Outgoing& message) noexcept {
  const std::size_t used = sizeof(Frame) + message.bytes.size() + name_of(message).size();
  return (used + kFrameUnit - 1) / kFrameUnit * kFrameUnit;
}

bool has_room(PipeRing& ring, const Outgoing& message) noexcept {
  if (fits(ring, message, ring.seen_freed, ring.seen_received)) return true;
  ring.seen_freed = ring.freed.load(std::memory_order_acquire);
  ring.seen_received = ring.received.load(std::memory_order_relaxed);
  return fits(ring, message, ring.seen_freed, ring.seen_received);
}

bool may_have_room(const PipeRing& ring, const Outgoing& message) noexcept {
  const std::uint64_t freed = ring.freed.load(std::memory_order_acquire);
  return fits(ring, message, freed, ring.received.load(std::memory_order_relaxed));
}

std::optional<BellDuty> begin_ring(PipeRing& ring, int bell) noexcept {
  const std::uint32_t before = ring.bell.load(std::memory_order_relaxed);
  const BellState state = before % kBellStates;
  if (state == kRung) return BellDuty{};
  BellDuty duty{before - state + kBellStates + kRinging, platform::kBellBytes};
  step();
  ring.bell.store(duty.bell, std::memory_order_relaxed);
  step();
  // If the last one was not rung to its end, nobody knows how many bytes there are: fewer than a
  // sleeper thinks, perhaps. Too many do no harm.
  const std::uint32_t sleepers = std::exchange(ring.sleeping, 0);
  if (state == kRinging) duty.strokes = platform::kMostBellBytes;
  ring.left = state == kRinging ? 0 : platform::kBellBytes - sleepers;
  step();
  if (ring.watched.load(std::memory_order_relaxed) == 0) return duty;
  if (!end_ring(ring, duty, bell)) return std::nullopt;
  return BellDuty{};
}

bool end_ring(PipeRing& ring, const BellDuty& duty, int bell) noexcept {
  if (duty.strokes == 0) return true;
  step();
  if (!platform::ring_bell(bell, duty.strokes)) return false;
  step();
  std::uint32_t expected = duty.bell;
  ring.bell.compare_exchange_strong(expected, duty.bell - kRinging + kRung,
                                    std::memory_order_relaxed);
  step();
  return true;
}

std::uint64_t put(PipeObject& pipe, PipeRing& ring, Outgoing& message) {
  const std::uint64_t tail = ring.tail.load(std::memory_order_relaxed);
  const heap::HoldId hold_id = message.block.hold_id();
  if (hold_id != 0) {
    ring.pending_at = tail;
    step();
    heap::move(hold_id, heap::offset_of(&pipe), &ring.pending, hold_id);
    static_cast<void>(message.block.release());
    step();
  }
  const std::size_t size = ring_bytes(message);
  const std::uint64_t filler = filler_at(tail, size);
  const std::uint64_t at = tail + filler;
  if (filler != 0) seal(ring, tail, {kFiller, 0, 0, 0, 0, 0});
  const std::uint64_t total = ring.total.load(std::memory_order_relaxed) + message.size;
  ring.total.store(total, std::memory_order_relaxed);
  step();
  const std::string_view name = name_of(message);
  seal(ring, at,
       {message.relayed ? message.size | kRelayed : message.size, message.fingerprint, hold_id,
        total, static_cast<std::uint32_t>(name.size()), 0});
  std::byte* const body = ring.bytes + at % kRingBytes + sizeof(Frame);
  if (!message.bytes.empty()) std::memcpy(body, message.bytes.data(), message.bytes.size());
  if (!name.empty()) std::memcpy(body + message.bytes.size(), name.data(), name.size());
  step();
  const std::uint64_t end = at + size;
  ring.tail.store(end, std::memory_order_release);
  // The place of the next message was last in the receiver's cache. It is fetched now, while nobody
  // waits for it.
  for (std::uint64_t line = end; line < end + std::min(size, kMostFetched); line += kFrameUnit)
    __builtin_prefetch(ring.bytes + line % kRingBytes, 1);
  step();
  if (hold_id != 0) {
    std::atomic_ref<std::uint64_t>(ring.pending).store(0, std::memory_order_release);
    step();
  }
  return end;
}

bool was_received(const PipeRing& ring, std::uint64_t end) noexcept {
  return ring.freed.load(std::memory_order_acquire) >= end;
}

}  // namespace procession::channel
