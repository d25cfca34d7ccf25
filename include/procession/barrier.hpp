#pragma once

#include <cstddef>

#include "procession/callable.hpp"
#include "procession/codec.hpp"
#include "procession/detail/handle.hpp"
#include "procession/timeout.hpp"

namespace procession {

namespace detail {

/// More threads than that no system has.
inline constexpr std::size_t kMostParties = std::size_t{1} << 20;
/// Throws std::invalid_argument for none and for more than that.
void check_parties(std::size_t parties);

}  // namespace detail

/// Where a fixed number of threads of processes wait for each other.
///
/// When one of them is killed while it waits, or gives up, the barrier breaks: all who wait, and
/// all who come, get `BrokenBarrier` until somebody calls `reset()`. More threads than it is for
/// may come: so many at a time go on together, and the others wait for the next ones. Who was let
/// through stays so, whatever becomes of the barrier before it runs again. A handle; every member
/// may be called from any thread of any process. Python: `multiprocessing.Barrier`.
class Barrier {
 public:
  /// Names nothing, for what is to be decoded or assigned.
  Barrier() = default;
  /// A barrier for `parties`. `action` runs in the last one that comes, before any goes on; what it
  /// throws breaks the barrier, and is thrown there. It may call every member of its own barrier
  /// but `wait`: where it calls `abort` or `reset`, nobody goes on, while Python's lets them.
  /// Throws `std::invalid_argument` for 0 parties, for more than 1,048,576, and for an action that
  /// captured an address; `OutOfMemory`.
  explicit Barrier(std::size_t parties, Function<void()> action = {});

  /// Waits for the others. Returns how many were there before: 0 for the first one. Throws
  /// `BrokenBarrier` when it breaks, or when the time-out passes, which breaks it; no time-out
  /// passes while the action runs, for which all have come. Throws what the action throws, in the
  /// one that runs it; `ProcessError` when the action of this barrier calls it.
  std::size_t wait(Timeout timeout = {}) const;
  /// Makes the barrier whole and empty again; those who wait get `BrokenBarrier`.
  void reset() const;
  /// Breaks it, also while its action runs.
  void abort() const;
  /// How many it is for.
  [[nodiscard]] std::size_t parties() const;
  /// How many wait at this moment; all of them while the action runs, 0 when it is broken.
  [[nodiscard]] std::size_t n_waiting() const;
  /// Whether it is broken, also when nobody has noticed yet that one who waited was killed.
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
