// The process that removes what has a name when all others of the tree have ended, by SIGKILL too.
// It is nobody's child, outlives the tree by a moment, and sleeps in one system call until then: it
// waits for the locks by which the tree's processes show that they live (see heap::mark_alive).
#pragma once

namespace procession::process {

/// Starts the tree's janitor unless there is one. Not to be called by two processes at a time.
/// Throws `NotInitialized` without `init()`, `ProcessError` when it cannot be started.
void require_janitor();

/// The janitor's life, in a process that `require_janitor` started and that has the heap.
[[noreturn]] void serve_as_janitor();

}  // namespace procession::process
