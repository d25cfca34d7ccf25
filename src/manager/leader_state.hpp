#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "channel/transport.hpp"
#include "heap/heap.hpp"
#include "sync/event_count.hpp"

namespace procession::manager {

/// What clients are told of the leader that answers a crowd (see Followers), and how they wake it.
/// Lies in shared memory, zeroed.
class LeaderState {
 public:
  /// A leader is awake, on the processor of this thread. Whether a client has found itself there
  /// since the last time.
  bool show() noexcept;
  void hide() noexcept { cpu_.store(0, std::memory_order_relaxed); }

  /// Whether it seems to run beside this thread. It does not if it is said to be on this thread's
  /// own processor: then that is where it waits for its turn, and nobody else need believe it.
  bool runs_elsewhere() noexcept;

  /// A client was answered, and is to be woken at `sleeper` by the next one that falls asleep.
  void appoint(sync::EventCount& sleeper) noexcept { next_.store(heap::offset_of(&sleeper)); }
  [[nodiscard]] bool has_next() const noexcept {
    return next_.load(std::memory_order_relaxed) != 0;
  }
  /// Wakes it, unless somebody else does.
  void wake_next() noexcept;

  /// Where it sleeps when there are no requests. Each call of each client writes there, so it is
  /// apart from what others read.
  alignas(64) sync::EventCount calls;

 private:
  /// It does not run: a client has its processor.
  static constexpr std::uint32_t kDisplaced = ~0U;

  alignas(64)
      std::atomic<std::uint32_t> cpu_;  ///< 1 + the processor; 0: it does not run; or kDisplaced
  std::atomic<heap::Offset> next_;      ///< of its EventCount; 0: there is none
};

/// How a client in a crowd waits for a reply. While the leader runs on another processor, that is a
/// matter of one or two microseconds, and to wait awake for it is to call some dozen times in the
/// time that one client takes to fall asleep and the next one to wake up. So it does that for a
/// turn of so many calls; then it sleeps once, and others have the processor.
class ReplyWait {
 public:
  /// Returns when there is a reply, or after a while.
  void await(LeaderState& leader, detail::Transport& pipe);

 private:
  /// With half of it, a call of 64 clients takes a seventh longer; what others wait for doubles.
  static constexpr unsigned kCalls = 64;
  /// A call takes up to 2 us where cache lines are slow to go from one processor to the other.
  static constexpr std::chrono::microseconds kAwake{10};
  /// As the end of the server does not end this sleep, there is another one after it. It is longer
  /// than the turns of some hundred clients: to be woken from that other sleep costs more.
  static constexpr std::chrono::milliseconds kAsleep{50};

  bool spin(LeaderState& leader, const detail::Transport& pipe);

  unsigned calls_ = 0;  ///< of this turn
};

}  // namespace procession::manager
