#pragma once

namespace procession::process {

/// Sees to it that a thread which waits in this library while the process ends does not change its
/// exit status: the call ends by an exception (`Cancelled`, `EndOfFile`, ...), and where nobody
/// catches that, the thread sleeps until the process has ended, instead of std::terminate(). An
/// uncaught exception that tells of the end of others, as a pool's in main(), waits some seconds to
/// see whether the process ends. For any other end std::terminate() is what it was. Idempotent.
void survive_uncaught_ends() noexcept;

/// The calling thread is about to be told by an exception that what it uses was ended, as a pool at
/// namespace scope is before the end of the process is known here.
void note_told_of_end() noexcept;

/// The orderly end of this process begins, in the calling thread.
void note_end() noexcept;

/// In the child of a fork: its own end has not begun.
void forget_end() noexcept;

}  // namespace procession::process
