#pragma once

#include "platform/descriptor.hpp"

namespace procession::process {

/// A descriptor that is readable once this child has ended, whoever takes its exit status. Where
/// the kernel gives no descriptors of processes, a thread of the library's waits for each child.
/// Throws `ProcessError` when there is no descriptor, or no thread, left.
platform::Descriptor watch_end(int pid);

}  // namespace procession::process
