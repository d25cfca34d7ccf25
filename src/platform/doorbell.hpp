#pragma once

#include <chrono>
#include <utility>

#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"

// A pair of connected local sockets whose bytes mean nothing but "look": what there is to look at
// lies in shared memory. They make it visible to poll() and its kin, and the kernel tells each side
// when no process has the other side's descriptor any more, however the last one ended.
namespace procession::platform {

std::pair<Descriptor, Descriptor> doorbell_pair();

/// Bytes of one ring: one for a sleeper to take, and one that stays, so that the descriptor is
/// readable as long as there is something to look at.
inline constexpr unsigned kBellBytes = 2;

/// As many as the sleepers of two rings take, and one.
inline constexpr unsigned kMostBellBytes = 4;

/// Rings at the other side with `strokes` bytes, at most kMostBellBytes. False when it has gone.
bool ring_bell(int socket, unsigned strokes) noexcept;

enum class Bell {
  silent,   ///< nobody rang
  rung,     ///< somebody did, or something else made the descriptor readable
  gone,     ///< nobody has the other side any more
  foreign,  ///< there are bytes that no bell wrote
};

/// Takes all bytes that are there: `silent`, `gone` or `foreign`.
Bell silence_bell(int socket) noexcept;

/// Sleeps until `bytes` bytes were taken, but for no longer than `nap` or kShortNap, whichever is
/// longer, and perhaps kShortNap more; `silent` then. Signals do not end it. Within kShortNap it is
/// one system call.
Bell await_bell(int socket, unsigned bytes, std::chrono::nanoseconds nap);
inline constexpr std::chrono::milliseconds kShortNap{250};

/// Sleeps until there are bytes, without taking any. `silent` when the deadline passes first.
Bell watch_bell(int socket, const Deadline& deadline);

/// Whether nobody has the other side any more.
bool is_abandoned(int socket) noexcept;

}  // namespace procession::platform
