#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace procession::detail {
class PoolCore;
}

namespace procession::pool {

/// One thread of this process, started with its first pool, that waits for the end of any worker of
/// any pool and tells the pool; it also feeds pools that have more tasks than slots while nobody
/// else does. Not on the way of a task.

/// The pool is looked after from now on, as long as it lives.
void supervise(const std::shared_ptr<detail::PoolCore>& core);

/// The pool with this number is told once the worker of a worker slot has ended, which makes
/// `sentinel` readable. Does not wake the supervisor. Throws `ProcessError` when the kernel has no
/// memory.
void watch_worker(std::uint32_t pool_number, std::uint32_t worker_slot, int sentinel);
/// No longer. To be called before the descriptor is closed: a child by fork may have it too.
void unwatch_worker(int sentinel) noexcept;

/// The threads of the library's that look after pools. Each is at one pool at a time.
enum class Visitor { supervisor, completion };
/// Calls it with each pool of this process that is looked after.
void visit_pools(Visitor as, const std::function<void(detail::PoolCore&)>& look);
/// The pool is not looked after any more, and no such thread is at it when this returns: what its
/// tasks threw, and what was the user's otherwise, is destroyed before the pool's end returns, and
/// not by a thread of the library's at some later time. Called by such a thread, over the
/// destructor of something of the user's, it does not wait.
void leave_unsupervised(const detail::PoolCore& core) noexcept;

/// Something that the supervisor waits for has changed: there are tasks without a slot, say.
void nudge_supervisor() noexcept;

}  // namespace procession::pool
