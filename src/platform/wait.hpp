#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"

namespace procession::platform {

/// A descriptor that names a child of this process, readable once that has ended: empty when it is
/// gone already, nothing where the kernel gives no such descriptors (a sandbox forbids the call, or
/// valgrind does not know it). Throws `ProcessError` when there is none left.
std::optional<Descriptor> open_process(int pid);

/// Sleeps until a child has ended, and leaves its exit status to be taken.
void wait_for_end(int pid) noexcept;

/// Waits until the descriptor is readable or its other end has gone; false when the deadline passes
/// first. Signals that arrive meanwhile do not end the wait. Throws `ProcessError` when it is not
/// open.
bool wait_readable(int descriptor, const Deadline& deadline);

/// Waits until any of them is; their places in the span. Empty when the deadline passes first.
/// Throws `ProcessError` with its place when one is not open.
std::vector<std::size_t> wait_readable_any(std::span<const int> descriptors,
                                           const Deadline& deadline);

enum class ReapResult { running, ended, unknown };

struct Reaped {
  ReapResult result = ReapResult::running;
  int exitcode = 0;  ///< -N when signal N ended it
};

/// Takes the exit status of an ended child, without waiting. `unknown`: somebody else took it, or
/// SIGCHLD is ignored.
Reaped reap(int pid);

/// Waits for the end of a child and takes its exit status.
Reaped reap_waiting(int pid);

/// Waits for at most so long, without a descriptor, and takes its exit status if it has ended.
Reaped reap_within(int pid, const Deadline& deadline);

/// Whether a child has ended; its exit status is still to be taken.
bool has_ended(int pid);

enum class Signal { terminate, kill, interrupt };

/// Signals a child that has not been reaped. `descriptor` is what `open_process` gave for it, or
/// any other one.
void send_signal(int descriptor, int pid, Signal signal);
/// The same by number alone.
void send_signal_to(int pid, Signal signal);

/// A descriptor that becomes readable for ever when `raise_event` is called on it.
Descriptor make_event();
void raise_event(int event);
/// Makes it unreadable again.
void clear_event(int event);

}  // namespace procession::platform
