// What receivers do to a ring.
#pragma once

#include <chrono>

#include "channel/pipe_ring.hpp"
#include "platform/doorbell.hpp"
#include "procession/detail/connection_core.hpp"

namespace procession::channel {

/// Has `PipeRing::receiving`, to the end of the scope; what a dead owner left half done is put
/// right.
class ReceiveLock {
 public:
  explicit ReceiveLock(PipeRing& ring) noexcept;
  ReceiveLock(const ReceiveLock&) = delete;
  ReceiveLock& operator=(const ReceiveLock&) = delete;
  ~ReceiveLock() { ring_.receiving.unlock(); }

 private:
  PipeRing& ring_;
};

/// Whether there is no message. Under ReceiveLock.
bool is_empty(const PipeRing& ring) noexcept;

/// `may_have_message` for those who look again and again: when a message comes, its frame comes
/// into this processor's cache together with the word that tells of it, and not after it.
inline bool expect_message(const PipeRing& ring) noexcept {
  const std::uint64_t next = ring.freed.load(std::memory_order_relaxed);
  __builtin_prefetch(ring.bytes + next % kRingBytes);
  return ring.tail.load(std::memory_order_acquire) != next;
}

enum class Take { done, relayed, empty, damaged };

/// Takes the first message. `bell` is the receiver's side of the socket. `relayed`: the message is
/// a Relay. `damaged`: what lies there is no message, or bytes in the socket are no bell's.
Take take(PipeRing& ring, detail::Incoming& message, int bell);

/// Sees to it that the bell is rung only if there is a message, which is what it tells: `rung`;
/// `silent`; `gone`, then without a message, or `foreign`. A message that is lost with its sender
/// is none.
platform::Bell settle_bell(PipeRing& ring, int bell);

/// Sleeps until there may be a message, or for about as long as `nap`. `gone` when nobody has the
/// other side of the socket; then there may be a last message all the same.
platform::Bell sleep(PipeRing& ring, int bell, std::chrono::nanoseconds nap);

}  // namespace procession::channel
