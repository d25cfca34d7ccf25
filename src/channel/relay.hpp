// A message of many bytes that its sender and its receiver copy at the same time, through a small
// window. The bytes on their way stay in the processors' caches, and take no memory.
//
//     offered ──▶ taken     a receiver has come: both copy, at most the window apart
//        │          │
//        │          └──▶ given up
//        ├──▶ whole         nobody has come soon: all is in a block that the relay owns
//        └──▶ given up
//
// What leaves `offered` is one compare-and-swap, so a receiver and a sender that gets impatient
// agree. The relay is a block that the sender holds as long as it writes, and the pipe, then the
// receiver, hold as any other message. Either side is *present* in a robust mutex meanwhile: when
// one is killed, the other sees that at the end of a nap, and the message is lost with it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "channel/relay_window.hpp"
#include "heap/heap.hpp"
#include "procession/detail/connection_core.hpp"
#include "sync/adaptive_spin.hpp"
#include "sync/event_count.hpp"
#include "sync/liveness_slot.hpp"

namespace procession::channel {

enum class RelayState : std::uint32_t { offered, taken, whole, given_up };

struct Relay {
  std::uint64_t size;   ///< bytes of the message
  std::uint64_t whole;  ///< hold id of the relay's hold on a block with all of them
  std::atomic<RelayState> state;
  sync::LivenessSlot sender;
  sync::LivenessSlot receiver;
  alignas(64) sync::EventCount filled;   ///< the receiver sleeps here
  alignas(64) sync::EventCount emptied;  ///< the sender
  RelayWindow window;
};

/// Whether a relay that is still in the pipe will never arrive: its sender has given up, or was
/// killed before a receiver had come or all was in a block. If so, it stays so. By one process at a
/// time.
bool is_lost(Relay& relay) noexcept;

/// Called now and then while nothing moves; throws to give up.
using StillWanted = std::function<void()>;

/// A message in the hands of its sender. Belongs to the thread that made it.
class RelaySender {
 public:
  /// `bytes` are to stay as long as it lives. Throws OutOfMemory.
  explicit RelaySender(std::span<const std::byte> bytes);
  RelaySender(const RelaySender&) = delete;
  RelaySender& operator=(const RelaySender&) = delete;
  /// A message that has not got through by now is given up.
  ~RelaySender();

  /// What is to be sent: another hold on the relay. Throws OutOfMemory.
  [[nodiscard]] heap::Block message() const;

  /// Returns when nothing of the sender's is needed any more: a receiver has all, or soon will; or
  /// all is in a block; or the receiver was killed. Once the message was sent.
  void finish(sync::AdaptiveSpin& spin, const StillWanted& still_wanted);

 private:
  /// Whether there is room in the window for the next piece; if not, it is not needed any more.
  bool await_room(sync::AdaptiveSpin& spin, const StillWanted& still_wanted);
  bool spill();

  std::span<const std::byte> bytes_;
  heap::Block block_;
  Relay& relay_;
};

/// Fills `message`, which was taken out of a pipe and is the relay, with what comes through it.
/// False: it was lost with its sender, or given up. Throws std::bad_alloc, and the message is lost.
bool receive_relayed(detail::Incoming& message, sync::AdaptiveSpin& spin,
                     const StillWanted& still_wanted);

}  // namespace procession::channel
