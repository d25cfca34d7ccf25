// One direction of a pipe, as it lies in the shared heap.
//
// Messages lie in a ring, one behind another, each as a Frame and what belongs to it. Positions
// are counts of bytes since the beginning; a frame lies at its position modulo the ring's size and
// is never split: where it would be, an empty frame fills the rest of the ring.
//
//          freed = taken                     tail
//     ------|---- messages to be received ----|------- room -------
//
// Senders take turns by `sending`, receivers by `receiving`; neither waits while it has the lock.
// A message is there once `tail` is behind it, and received once `taken` is: each is one store. A
// message of many bytes is a block of its own, held by the sender, then by the pipe, then by the
// receiver; the words by which that is settled after a death (`pending`, `taken`) are changed in
// one step with the hold.
//
// The bell (platform/doorbell.hpp) of the receiving end is *rung* as long as there are bytes in its
// socket. Nobody takes them away but under both locks and with no message there, or to sleep. They
// are left there as long as nobody needs to sleep: two sides that are awake make no system call.
// A message is published first and the bell rung when the lock was given back, so that who is woken
// finds both; a sender that is killed in between makes a sleeper late, as a swallowed wake-up does.
// Where the user watches the descriptor, who does not look by himself, the rule is: **where there
// is a message, there are bytes**, at every instant. There the bell is rung first, under the lock,
// and a message whose bell may not have been rung yet, or was left so by a killed sender, is none
// until it has.
//
// A receiver whose sender knows of it may sleep on a word instead (`dozing`), with the bell left as
// it is: to wake it there costs less, and does not bring it to the sender's own processor.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heap/heap.hpp"
#include "platform/mutex.hpp"
#include "procession/detail/handle.hpp"
#include "sync/event_count.hpp"

namespace procession::channel {

inline constexpr std::size_t kRingBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kFrameUnit = 64;  ///< frames begin at multiples of it

/// Bytes of a message that are asked for before they are looked at: each line is some 150 ns away
/// where another processor had it. What is larger is fetched by the processor as it is copied.
inline constexpr std::size_t kMostFetched = 256;

/// Bytes of messages on their way in one direction, unless it is a single one. More of them would
/// fall out of the processors' caches before they are received.
inline constexpr std::uint64_t kMostOnTheWay = 16U << 20U;

/// In front of each message. Then come its bytes, if it has no block, and the name of its type.
struct Frame {
  std::uint64_t size;         ///< bytes of the message; kFiller: the rest of the ring is empty.
                              ///< With kRelayed: the hold is on a Relay
  std::uint64_t fingerprint;  ///< of its type; 0: bytes
  std::uint64_t hold_id;      ///< the pipe's hold on the block with its bytes; 0: they follow
  std::uint64_t total;        ///< bytes of messages sent in this direction, this one included
  std::uint32_t name_size;    ///< bytes
  std::uint32_t seal;         ///< tells a frame from anything else
};

inline constexpr std::uint64_t kFiller = ~std::uint64_t{0};
inline constexpr std::uint64_t kRelayed = std::uint64_t{1} << 63;

/// Of the bell, in the lowest bits of `PipeRing::bell`. Above them is a number, another one for
/// each time that it is rung.
using BellState = std::uint32_t;
inline constexpr BellState kSilent = 0;   ///< there are no bytes for the messages that come
inline constexpr BellState kRinging = 1;  ///< a sender is to write them, or was killed over it
inline constexpr BellState kRung = 2;     ///< they are there
inline constexpr BellState kBellStates = 4;

struct PipeRing {
  // Of the senders, under `sending`.
  platform::RobustMutexLine sending;
  std::atomic<std::uint64_t> total;  ///< see Frame::total
  std::uint64_t pending;             ///< a block's hold id that the pipe has and no frame yet; or 0
  std::uint64_t pending_at;          ///< `tail` when that was begun
  std::uint64_t seen_freed;     ///< `freed` and `received` when a sender last looked: to look is
  std::uint64_t seen_received;  ///< to wait for the receiver's processor
  std::atomic<std::uint32_t> bell;  ///< BellState, and how often it was rung
  std::uint32_t left;               ///< bytes that are there, or more, when nobody sleeps
  std::uint32_t
      sleeping;  ///< somebody who has `sleeper_slot` will take all but one of the next ringing
  std::atomic<std::uint32_t> closes;  ///< how often a descriptor of the receiving end was closed
  sync::EventCount dozing;            ///< where a receiver may sleep whose senders nudge it

  alignas(64) std::atomic<std::uint64_t> tail;  ///< end of the last message

  // Of the receivers, under `receiving`.
  platform::RobustMutexLine receiving;
  std::uint64_t taken;                 ///< begin of the first message
  std::atomic<std::uint32_t> watched;  ///< the user looks at the descriptor, by a poll() of his own
  platform::RobustMutex sleeper_slot;  ///< who has it may sleep by taking bytes out of the socket

  // For the senders to see.
  alignas(64) std::atomic<std::uint64_t> freed;  ///< `taken`, once that is settled
  std::atomic<std::uint64_t> received;           ///< Frame::total of the last message received
  sync::EventCount room;                         ///< where senders wait

  alignas(64) std::byte bytes[kRingBytes];

  void init();
  /// A look without a lock. Never false where there is a message.
  [[nodiscard]] bool may_have_message() const noexcept {
    return tail.load(std::memory_order_acquire) != freed.load(std::memory_order_relaxed);
  }
  [[nodiscard]] BellState bell_state() const noexcept {
    return bell.load(std::memory_order_relaxed) % kBellStates;
  }
  /// Under `sending`. The number stays.
  void set_bell(BellState state) noexcept {
    const std::uint32_t now = bell.load(std::memory_order_relaxed);
    bell.store(now - now % kBellStates + state, std::memory_order_relaxed);
  }
};

/// The shared part of a pipe. PipeRing N leads to end N; a simplex one has the first ring only.
struct PipeObject {
  detail::ObjectHeader header;
  std::uint32_t duplex;
  PipeRing rings[2];
};

inline constexpr detail::ObjectHeader kPipeHeader{0x6570'6970, 0};

std::uint32_t seal_of(const Frame& frame, std::uint64_t position) noexcept;

}  // namespace procession::channel
