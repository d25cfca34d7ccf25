#pragma once

#include <memory>
#include <vector>

namespace procession::detail {
class PoolCore;
}

namespace procession::pool {

/// One thread of this process, started with its first pool, that waits for the end of any worker of
/// any pool and tells the pool; it also feeds pools that have more tasks than slots while nobody
/// else does. Not on the way of a task.

/// The pool is watched from now on, as long as it lives.
void supervise(const std::shared_ptr<detail::PoolCore>& core);
/// The pools of this process that live.
std::vector<std::shared_ptr<detail::PoolCore>> living_pools();
/// Something that the supervisor waits for has changed: there are new workers, or tasks without a
/// slot.
void nudge_supervisor() noexcept;

}  // namespace procession::pool
