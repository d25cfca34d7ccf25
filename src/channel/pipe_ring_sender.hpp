// What senders do to a ring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "channel/pipe_ring.hpp"

namespace procession::channel {

/// A message to be sent.
struct Outgoing {
  std::uint64_t fingerprint;         ///< of its type; 0: bytes
  std::string_view type;             ///< its name
  std::span<const std::byte> bytes;  ///< where they are few
  heap::Block block;                 ///< where they are many: they begin it
  std::uint64_t size;                ///< bytes
  bool relayed = false;              ///< the block is a Relay
};

/// Has `PipeRing::sending`, to the end of the scope; what a dead owner left half done is put right.
class SendLock {
 public:
  explicit SendLock(PipeRing& ring) noexcept;
  SendLock(const SendLock&) = delete;
  SendLock& operator=(const SendLock&) = delete;
  ~SendLock() { ring_.sending.unlock(); }

 private:
  PipeRing& ring_;
};

/// Bytes of the ring that the message takes, wherever it comes to lie.
std::size_t ring_bytes(const Outgoing& message) noexcept;

/// Whether the message can go now. Under SendLock.
bool has_room(PipeRing& ring, const Outgoing& message) noexcept;
/// The same without a lock, and perhaps not true any more.
bool may_have_room(const PipeRing& ring, const Outgoing& message) noexcept;

/// What a sender still has to do for the bell when it has given the lock back.
struct BellDuty {
  std::uint32_t bell = 0;  ///< what `PipeRing::bell` was made
  unsigned strokes = 0;    ///< bytes to be written; 0: it has been rung
};

/// To be called before `put`. Under SendLock. `bell` is the sender's side of the socket. Nothing
/// when the bell had to be rung at once and nobody has the other side any more.
std::optional<BellDuty> begin_ring(PipeRing& ring, int bell) noexcept;

/// Sends it. Under SendLock, and with room for it. Returns where it ends.
std::uint64_t put(PipeObject& pipe, PipeRing& ring, Outgoing& message);

/// Wakes who sleeps, without the lock. False when nobody has the other side any more.
bool end_ring(PipeRing& ring, const BellDuty& duty, int bell) noexcept;

/// Whether somebody has received the message that ends there.
bool was_received(const PipeRing& ring, std::uint64_t end) noexcept;

}  // namespace procession::channel
