#pragma once

#include <memory>
#include <string>

#include "heap/stepped.hpp"
#include "platform/descriptor.hpp"

// What workers write to their standard error goes through a pipe to a thread of the owner, started
// with the first worker process, that writes it to the owner's own and remembers the end of it:
// when a worker has died over a task, that is often the only word on why. The thread may be held up
// by whoever reads that stream, and then holds up workers that write, as the stream itself would.
namespace procession::pool {

/// One worker's.
class WorkerStderr;

/// A new pipe, read from now on until nobody can write into it any more; the end to write to.
/// As long as what is returned lives, `taken` is 1 from before anything is read until it has been
/// written on: to a worker that sees its pipe empty and then 0, all that it wrote is out. Throws
/// ProcessError, and std::system_error where the thread cannot be started.
std::shared_ptr<WorkerStderr> relay_stderr(platform::Descriptor& for_worker,
                                           heap::Stepped<std::uint32_t>& taken);

/// The last whole lines that a worker which has ended wrote, without the newline at the end; at
/// most about 1 KiB.
std::string last_lines(WorkerStderr& worker);

/// What workers that have ended wrote is written on from here, if whoever reads it takes it within
/// a second or two.
void flush_stderr_relay();

/// In the child of a fork: the thread did not come along.
void disown_stderr_relay() noexcept;

}  // namespace procession::pool
