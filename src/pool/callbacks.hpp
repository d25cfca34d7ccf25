#pragma once

#include <functional>
#include <memory>

namespace procession::detail {
class PoolCore;
}

// One thread of this process, started with the first callback, that runs what users want called at
// the end of their tasks. Apart from the completion thread's, because a callback may wait for other
// tasks.
namespace procession::pool {

/// Runs it in that thread, after those that were posted before.
void post_callback(std::shared_ptr<detail::PoolCore> pool, std::function<void()> callback);
/// Starts the thread that runs them, if it is not there: where it may throw that there is none to
/// be had, which the end of a task may not.
void prepare_callbacks();

/// Runs it here. What it throws is written to the log.
void run_callback(const std::function<void()>& callback) noexcept;

/// Waits until the callbacks that were posted for this pool have run. In the thread for callbacks
/// itself it runs them.
void finish_callbacks(const detail::PoolCore& pool);

/// In the child of a fork: the thread did not come along, and the callbacks are the parent's.
void disown_callbacks() noexcept;

}  // namespace procession::pool
