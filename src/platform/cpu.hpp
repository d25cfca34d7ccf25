#pragma once

#include <optional>
#include <string>

namespace procession::platform {

/// How many processors the scheduler may place the calling thread on; at least 1.
unsigned affinity_cpus() noexcept;

/// The one that the calling thread is on; it may be another one at once. 0 where that is not known.
unsigned current_cpu() noexcept;

/// How many processors' worth of time the groups of this process may use (a container's limit),
/// rounded up; empty when nothing limits it or nothing can be read. `root` is the folder whose
/// `proc` is read and below which the mount points lie: "" is the machine itself, anything else a
/// copy of it made by a test.
std::optional<unsigned> quota_cpus(const std::string& root = "");

/// How many processors it makes sense to keep busy: the smaller of the two above, at least 1. It is
/// read anew by each call, for both can change while a program runs. Throws only for lack of
/// memory.
unsigned usable_cpus();

}  // namespace procession::platform
