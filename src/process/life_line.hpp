#pragma once

#include "platform/descriptor.hpp"

namespace procession::process {

/// The reading end of this process's life line, for its children (see platform/life.hpp); made on
/// the first call. Thread-safe.
int watched_line();

/// In the child of a fork: closes this copy of the parent's end, so that its end is seen, and
/// returns the reading end (empty if there was no line yet). The next call of `watched_line` makes
/// a line of this process's own.
platform::Descriptor take_life_line() noexcept;

}  // namespace procession::process
