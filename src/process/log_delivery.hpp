#pragma once

#include <functional>

namespace procession::process {

/// The thread that delivers the records of the library's other threads (log.hpp), and calls the
/// user's sink for that: a sink may wait for what those threads do. Runs only once used.
void deliver_later(std::function<void()> deliver) noexcept;

/// Waits until all that was handed to it is delivered; not where the thread that asks is one of the
/// library's own, or is in the sink.
void finish_deliveries() noexcept;

/// In the child of a fork: what was to be delivered is the parent's.
void disown_deliveries() noexcept;

}  // namespace procession::process
