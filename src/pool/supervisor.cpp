#include "pool/supervisor.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "platform/futex.hpp"
#include "platform/immortal.hpp"
#include "platform/own_mutex.hpp"
#include "platform/poller.hpp"
#include "platform/wait.hpp"
#include "pool/completion_thread.hpp"
#include "pool/core.hpp"
#include "pool/stderr_relay.hpp"
#include "pool/thread_throws.hpp"
#include "process/after_fork.hpp"
#include "process/grace_period.hpp"
#include "process/lifecycle.hpp"
#include "process/own_thread.hpp"

namespace procession::pool {

namespace {

/// Between attempts to look after pools, while there is no memory for it.
constexpr std::chrono::milliseconds kWithoutMemory{50};

/// Of the nudge; workers have their pool's number above their worker slot's.
constexpr std::uint64_t kNudgeTag = ~std::uint64_t{0};

/// Whether this thread is at a pool.
thread_local constinit bool visiting = false;

struct Supervisor {
  platform::OwnMutex mutex;
  std::vector<std::weak_ptr<detail::PoolCore>> pools;
  std::array<const detail::PoolCore*, 2> visits{};  ///< by `Visitor`: the pool that it is at
  std::atomic<std::uint32_t> visited{0};            ///< counts visits that have ended
  unsigned leaving = 0;                             ///< threads that wait for the end of a visit
  platform::Descriptor nudge;
  /// Of `nudge` and the sentinels of workers. Set as long as the thread runs.
  std::optional<platform::Poller> poller;

  std::vector<std::shared_ptr<detail::PoolCore>> living() {
    const std::lock_guard guard(mutex);
    std::vector<std::shared_ptr<detail::PoolCore>> all;
    std::erase_if(pools, [&](const auto& weak) {
      if (auto pool = weak.lock()) {
        all.push_back(std::move(pool));
        return false;
      }
      return true;
    });
    return all;
  }

  /// Null when it has ended.
  std::shared_ptr<detail::PoolCore> begin_visit(Visitor as,
                                                const std::weak_ptr<detail::PoolCore>& weak) {
    const std::lock_guard guard(mutex);
    auto pool = weak.lock();
    visits[static_cast<std::size_t>(as)] = pool.get();
    visiting = pool != nullptr;
    return pool;
  }

  void end_visit(Visitor as) noexcept {
    const std::lock_guard guard(mutex);
    visits[static_cast<std::size_t>(as)] = nullptr;
    visiting = false;
    visited.fetch_add(1);
    if (leaving != 0) {
      platform::futex_wake_all(visited);
    }
  }

  [[nodiscard]] bool is_visited(const detail::PoolCore& pool) const noexcept {
    return std::find(visits.begin(), visits.end(), &pool) != visits.end();
  }
};

// Never destroyed: the thread outlives main().
constinit platform::Immortal<Supervisor> kept_supervisor;
constinit Supervisor& supervisor = kept_supervisor.value;

/// Looks after all pools once, then sleeps until there is something to do.
void watch_once() {
  Timeout sleep;
  const auto sleep_at_most = [&](Duration most) { sleep = std::min(sleep.value_or(most), most); };
  visit_pools(Visitor::supervisor, [&](detail::PoolCore& pool) {
    if (const Timeout again = pool.pump()) {
      sleep_at_most(*again);
    }
    if (const Timeout left = pool.check_limits()) {
      sleep_at_most(*left);
    }
    if (pool.workers().wants_workers()) {
      if (const Timeout again = pool.fill_worker_slots()) {
        sleep_at_most(*again);
      }
    }
  });
  std::array<std::uint64_t, 64> tags;
  const std::size_t ready = supervisor.poller->wait(tags, platform::Deadline(sleep));
  const std::span told = std::span(tags).first(ready);
  if (std::find(told.begin(), told.end(), kNudgeTag) != told.end()) {
    platform::clear_event(supervisor.nudge.get());
  }
  visit_pools(Visitor::supervisor, [&](detail::PoolCore& pool) {
    for (const std::uint64_t tag : told) {
      if (tag != kNudgeTag && pool.number() == tag >> 32U) {
        pool.worker_ended(static_cast<std::uint32_t>(tag));
      }
    }
  });
}

[[noreturn]] void run_supervisor() {
  for (;;) {
    try {
      watch_once();
    } catch (const std::exception&) {
      // What is to be seen to then is still to be seen.
      std::this_thread::sleep_for(kWithoutMemory);
    }
  }
}

/// Ends all open pools of processes within one grace. How long that took.
Duration end_open(const std::vector<std::shared_ptr<detail::PoolCore>>& pools) {
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<detail::PoolCore>> open;
  std::copy_if(pools.begin(), pools.end(), std::back_inserter(open),
               [](const auto& pool) { return pool->begin_end(); });
  process::GracePeriod grace = process::GracePeriod::after_others(process::kWorkersGracePeriod);
  for (const auto& pool : open) {
    pool->finish_end(grace);
  }
  return std::min<Duration>(process::kWorkersGracePeriod, std::chrono::steady_clock::now() - began);
}

/// In the order in which they were made, but for open pools of processes: those end with the first
/// of them.
Duration end_all() {
  Duration used{};
  const auto pools = supervisor.living();
  for (const auto& pool : pools) {
    pool->note_end_of_program();
    if (pool->ends_by_signals()) {
      used += end_open(pools);
    }
    pool->end();
  }
  return used;
}

void before_fork() { supervisor.mutex.lock(); }
void after_in_parent() { supervisor.mutex.unlock(); }
void after_in_child() {
  disown_stderr_relay();  // pools let go of it
  for (const auto& weak : supervisor.pools) {
    if (const auto pool = weak.lock()) {
      pool->disown();
    }
  }
  supervisor.pools.clear();
  // The threads that were at them, and those that waited for that, did not come along.
  supervisor.visits = {};
  supervisor.leaving = 0;
  supervisor.nudge.reset();
  supervisor.poller.reset();
  disown_completion_thread();
  disown_thrown();
  supervisor.mutex.unlock();
}

}  // namespace

void supervise(const std::shared_ptr<detail::PoolCore>& core) {
  const std::lock_guard guard(supervisor.mutex);
  supervisor.pools.push_back(core);
  if (!supervisor.poller) {
    process::set_services_end(end_all);
    process::set_services_fork(before_fork, after_in_parent, after_in_child);
    platform::Poller poller;
    supervisor.nudge = platform::make_event();
    poller.add(supervisor.nudge.get(), kNudgeTag);
    supervisor.poller = std::move(poller);
    try {
      process::start_own_thread(run_supervisor);
    } catch (...) {
      supervisor.poller.reset();  // the next pool tries again
      throw;
    }
  }
}

void watch_worker(std::uint32_t pool_number, std::uint32_t worker_slot, int sentinel) {
  supervisor.poller->add(sentinel, std::uint64_t{pool_number} << 32U | worker_slot);
}

void unwatch_worker(int sentinel) noexcept { supervisor.poller->remove(sentinel); }

void visit_pools(Visitor as, const std::function<void(detail::PoolCore&)>& look) {
  std::vector<std::weak_ptr<detail::PoolCore>> all;
  {
    const std::lock_guard guard(supervisor.mutex);
    all = supervisor.pools;
  }
  for (const auto& weak : all) {
    auto pool = supervisor.begin_visit(as, weak);
    const auto leave = [&](void* /*unused*/) {
      pool.reset();
      supervisor.end_visit(as);
    };
    const std::unique_ptr<void, decltype(leave)> left(&supervisor, leave);
    if (pool != nullptr) {
      look(*pool);
    }
  }
}

void leave_unsupervised(const detail::PoolCore& core) noexcept {
  const auto its_own = core.weak_from_this();
  std::unique_lock guard(supervisor.mutex);
  std::erase_if(supervisor.pools, [&](const auto& weak) {
    return weak.expired() || (!weak.owner_before(its_own) && !its_own.owner_before(weak));
  });
  if (visiting) {
    return;  // one that waits for another one, which may wait for it
  }
  ++supervisor.leaving;
  while (supervisor.is_visited(core)) {
    const std::uint32_t seen = supervisor.visited;
    guard.unlock();
    platform::futex_wait(supervisor.visited, seen, {});
    guard.lock();
  }
  --supervisor.leaving;
}

void nudge_supervisor() noexcept { platform::raise_event(supervisor.nudge.get()); }

}  // namespace procession::pool
