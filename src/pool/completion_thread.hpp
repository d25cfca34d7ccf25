#pragma once

#include "heap/heap.hpp"

// One thread of this process, started when a job is first given a hook, that hears from workers of
// all pools when such a job may have ended, and calls the hook though nobody waits for the job.
namespace procession::pool {

/// Starts the thread unless it runs. The block with the bell: a sync::EventCount that whoever ends
/// a task with kTells wakes. Throws OutOfMemory, and std::system_error where no thread can be had.
heap::Offset start_completion_thread();

/// The completion thread looks at all pools. For whoever ends a job with hooks. Only once it was
/// started.
void wake_completion_thread() noexcept;

/// In the child of a fork: the thread did not come along, and the bell is the parent's.
void disown_completion_thread() noexcept;

}  // namespace procession::pool
