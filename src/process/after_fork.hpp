#pragma once

#include <functional>
#include <vector>

#include "heap/heap.hpp"
#include "platform/descriptor.hpp"

namespace procession::process {

/// Forks a child that calls `in_child`, which gives the descriptors that its call brings along, and
/// runs `record`; returns its process id. Warns once on
/// stderr where other threads run, whose locks the child would inherit for ever. Throws
/// `ProcessError`.
int fork_child(heap::Offset record,
               const std::function<std::vector<platform::Descriptor>()>& in_child);

/// Makes every fork of this process, the program's own too, leave library state behind that is sane
/// in both.
void install_fork_handlers();

/// How many threads of this process belong to the library itself, and are safe to fork beside.
void add_own_threads(int count) noexcept;

}  // namespace procession::process
