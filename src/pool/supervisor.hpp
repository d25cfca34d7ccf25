#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace procession::detail {
class PoolCore;
}

namespace procession::pool {

/// One thread of this process, started with its first pool, that waits for the end of any worker of
/// any pool and tells the pool; it also feeds pools that have more tasks than slots while nobody
/// else does. Not on the way of a task.

/// The pool is looked after from now on, as long as it lives.
void supervise(const std::shared_ptr<detail::PoolCore>& core);

/// The pool with this number is told once the worker of a seat has ended, which makes `sentinel`
/// readable. Does not wake the supervisor. Throws `ProcessError` when the kernel has no memory.
void watch_worker(std::uint32_t pool_number, std::uint32_t seat, int sentinel);
/// No longer. To be called before the descriptor is closed: a child by fork may have it too.
void unwatch_worker(int sentinel) noexcept;

/// The pools of this process that live.
std::vector<std::shared_ptr<detail::PoolCore>> living_pools();
/// Something that the supervisor waits for has changed: there are tasks without a slot, say.
void nudge_supervisor() noexcept;

}  // namespace procession::pool
