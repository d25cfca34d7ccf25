#pragma once

#include <cstddef>

#include "procession/callable.hpp"
#include "procession/codec.hpp"
#include "procession/detail/handle.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// Where a fixed number of threads of processes wait for each other.
///
/// When one of them is killed while it waits, or gives up, the barrier breaks: all who wait, and
/// all who come, get `BrokenBarrier` until somebody calls `reset()`. A handle; every member may be
/// called from any thread of any process. Python: `multiprocessing.Barrier`.
class Barrier {
 public:
  /// Names nothing, for what is to be decoded or assigned.
  Barrier() = default;
  /// A barrier for `parties`. `action` runs in the last one that comes, before any goes on; what it
  /// throws breaks the barrier, and is thrown there. Throws `std::invalid_argument` for 0 parties
  /// and for an action that captured an address; `OutOfMemory`.
  explicit Barrier(std::size_t parties, Function<void()> action = {});

  /// Waits for the others. Returns how many were there before: 0 for the first one. Throws
  /// `BrokenBarrier` when it breaks, or when the time-out passes, which breaks it;
  /// `std::invalid_argument` for a negative time-out.
  std::size_t wait(Timeout timeout = {}) const;
  /// Makes the barrier whole and empty again; those who wait get `BrokenBarrier`.
  void reset() const;
  /// Breaks it.
  void abort() const;
  /// How many it is for.
  [[nodiscard]] std::size_t parties() const;
  /// How many wait at this moment.
  [[nodiscard]] std::size_t n_waiting() const;
  /// Whether it is broken.
  [[nodiscard]] bool broken() const;

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Barrier& barrier) {
    barrier.handle_.encode(encoder, "a Barrier");
  }
  /// Receives it.
  friend void decode(Decoder& decoder, Barrier& barrier) { barrier.read(decoder); }

 private:
  void read(Decoder& decoder);

  detail::Handle handle_;
};

template <>
inline constexpr bool detail::kIsHandle<Barrier> = true;

}  // namespace procession
