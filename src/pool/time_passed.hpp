#pragma once

#include <cstddef>

#include "pool/failure.hpp"

namespace procession::detail {

struct Task;

/// The failure of an element that ran longer than it may, in the worker with this process id: a
/// TimeoutError that is a RemoteTrace too.
Failure time_passed(const Task& task, std::size_t index, int pid);

}  // namespace procession::detail
