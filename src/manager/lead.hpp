#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "channel/transport.hpp"
#include "sync/wait_word.hpp"

namespace procession::manager {

/// What clients are told of the leader that answers a crowd (see Followers), and how they wake it.
/// Lies in shared memory, zeroed.
class Lead {
 public:
  /// A leader is awake, on the processor of this thread.
  void show() noexcept;
  void hide() noexcept { cpu_.store(0, std::memory_order_relaxed); }

  /// Whether it seems to run beside this thread. It does not if it is said to be on this thread's
  /// own processor: then that is where it waits for its turn, and nobody else need believe it.
  bool runs_elsewhere() noexcept;

  /// Where it sleeps when there are no requests. Each call of each client writes there, so it is
  /// apart from what others read.
  alignas(64) sync::WaitWord calls;

 private:
  alignas(64) std::atomic<std::uint32_t> cpu_;  ///< 1 + the processor; 0: it does not run
};

/// How a client in a crowd waits for a reply. While the leader runs on another processor, that is a
/// matter of half a microsecond, and to wait awake for it is to call some dozen times in the time
/// that one client takes to fall asleep and the next one to wake up. So it does that for a turn of
/// so many calls; then it sleeps once, and others have the processor.
class Turns {
 public:
  /// Returns when there is a reply, or after a while.
  void await(Lead& lead, detail::Transport& pipe);

 private:
  static constexpr unsigned kCalls = 32;
  static constexpr std::chrono::microseconds kAwake{3};
  /// As the end of the server does not end this sleep, there is another one after it.
  static constexpr std::chrono::milliseconds kAsleep{10};

  bool spin(Lead& lead, const detail::Transport& pipe);

  unsigned calls_ = 0;  ///< of this turn
};

}  // namespace procession::manager
