#pragma once

#include <functional>
#include <vector>

#include "platform/wait.hpp"

// A process and the programs that it started end together. Where it leads a process group of its
// own, the group is signalled, which no program leaves but one that means to (setsid, setpgid).
// In the foreground of a terminal a group of its own would be cut off from the keys that interrupt
// and stop, and could not read; there its descendants are looked up in /proc.
namespace procession::platform {

/// How this process stands to a terminal. In the foreground, the keys of the terminal signal its
/// process group.
enum class Terminal { none, background, foreground };
Terminal own_terminal() noexcept;

/// This process leads a process group of its own from now on, to which what it starts will belong.
/// Where there is a `terminal`, a program in the group that reads it gets an error, and is not
/// stopped for ever.
void lead_process_group(bool terminal) noexcept;

/// Signals all processes of the group that `leader`, a child that has not been reaped, leads; the
/// child alone where it does not lead one yet. Throws ProcessError where the system forbids it, as
/// when this process has become another user.
void signal_group(int leader, Signal signal);

/// Kills what is left of the group of a child that has ended. `reaped`: somebody else took its
/// status, so that its number may be another process's by now; such a one is left alone.
void kill_rest_of_group(int leader, bool reaped) noexcept;

/// A process, told from others that get its number later.
struct ProcessMark {
  int pid = 0;
  unsigned long long started = 0;  ///< as /proc/PID/stat tells it

  friend bool operator==(const ProcessMark&, const ProcessMark&) = default;
};

/// The descendants of a child, without those for which `spared` holds or that lead a session of
/// their own, as daemons do, and without theirs. Empty where /proc does not tell.
std::vector<ProcessMark> find_descendants(int pid, const std::function<bool(int pid)>& spared);

/// Signals those that are still there.
void signal_marked(const std::vector<ProcessMark>& marked, Signal signal) noexcept;

/// Kills a child that has not been reaped, and its descendants likewise. All are stopped first, so
/// that none starts another one meanwhile.
void kill_with_descendants(int pid, const std::function<bool(int pid)>& spared);

}  // namespace procession::platform
