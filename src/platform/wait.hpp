#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"

namespace procession::platform {

/// A descriptor that names a child of this process, readable once that has ended. Empty when it is
/// gone already. Throws `ProcessError` when no descriptor can be had.
Descriptor open_process(int pid);

/// Waits until the descriptor is readable or its other end has gone; false when the deadline passes
/// first. Signals that arrive meanwhile do not end the wait.
bool wait_readable(int descriptor, const Deadline& deadline);

/// Waits until any of them is; their places in the span. Empty when the deadline passes first.
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

enum class Signal { terminate, kill, interrupt };

/// Signals the process that the descriptor names; a process that has ended is left alone.
void send_signal(int process_descriptor, Signal signal);
/// The same by number, for a child that is known not to have been reaped.
void send_signal_to(int pid, Signal signal);

/// A descriptor that becomes readable for ever when `raise_event` is called on it.
Descriptor make_event();
void raise_event(int event);
/// Makes it unreadable again.
void clear_event(int event);

}  // namespace procession::platform
