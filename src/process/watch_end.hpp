#pragma once

#include "platform/descriptor.hpp"

namespace procession::process {

/// The reading end of this process's parent watch, for its children
/// (platform/parent_watch.hpp); made on
/// the first call. Thread-safe.
int watch_end();

/// In the child of a fork: closes this copy of the parent's end, so that its end is seen, and
/// returns the reading end (empty if there was no watch yet). The next call of `watch_end` makes
/// a watch of this process's own.
platform::Descriptor take_watch_end() noexcept;

}  // namespace procession::process
