#pragma once

#include "procession/codec.hpp"
#include "procession/detail/handle.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// A flag that processes wait for. A handle; every member may be called from any thread of any
/// process. Python: `multiprocessing.Event`.
class Event {
 public:
  /// A new event that is not set. Throws `OutOfMemory`.
  Event();

  /// Sets the flag and wakes all who wait for it, also if it is cleared right afterwards.
  void set() const;
  /// Those who come to wait from now on will wait.
  void clear() const;
  /// Whether it is set.
  [[nodiscard]] bool is_set() const;
  /// Waits until it is set; false when the time-out passes first.
  bool wait(Timeout timeout = {}) const;

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Event& event) {
    event.handle_.encode(encoder, "an Event");
  }
  /// Receives it.
  friend void decode(Decoder& decoder, Event& event) { event.read(decoder); }

 private:
  void read(Decoder& decoder);

  detail::Handle handle_;
};

template <>
inline constexpr bool detail::kIsHandle<Event> = true;

}  // namespace procession
