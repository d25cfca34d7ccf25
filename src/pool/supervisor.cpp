#include "pool/supervisor.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/signals.hpp"
#include "platform/wait.hpp"
#include "pool/core.hpp"
#include "pool/listener.hpp"
#include "pool/stderr_relay.hpp"
#include "process/after_fork.hpp"
#include "process/ready.hpp"

namespace procession::pool {

namespace {

/// How often pools with seats that could not be filled are seen to.
constexpr std::chrono::milliseconds kFillEvery{20};

struct Supervisor {
  std::mutex mutex;
  std::vector<std::weak_ptr<detail::PoolCore>> pools;
  platform::Descriptor nudge;
  bool running = false;

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
};

// Never destroyed: the thread outlives main().
Supervisor& supervisor = *new Supervisor;

struct Watched {
  std::shared_ptr<detail::PoolCore> pool;
  Crew::Watch watch;
};

/// Looks after all pools once, then sleeps until there is something to do.
void watch_once() {
  std::vector<Watched> watched;
  std::vector<int> descriptors{supervisor.nudge.get()};
  Timeout sleep;
  const auto sleep_at_most = [&](Duration most) { sleep = std::min(sleep.value_or(most), most); };
  for (const auto& pool : supervisor.living()) {
    if (const Timeout again = pool->pump()) {
      sleep_at_most(*again);
    }
    if (const Timeout left = pool->check_limits()) {
      sleep_at_most(*left);
    }
    for (auto& watch : pool->crew().watches()) {
      descriptors.push_back(watch.descriptor);
      watched.push_back({pool, std::move(watch)});
    }
    if (pool->crew().wants_workers()) {
      pool->fill_seats();
      sleep_at_most(kFillEvery);
    }
  }
  for (const std::size_t ready :
       platform::wait_readable_any(descriptors, platform::Deadline(sleep))) {
    if (ready == 0) {
      platform::clear_event(supervisor.nudge.get());
    } else {
      watched[ready - 1].pool->worker_ended(watched[ready - 1].watch.seat);
    }
  }
}

[[noreturn]] void run_supervisor() {
  platform::block_signals();
  for (;;) {
    watch_once();
  }
}

void end_all() {
  for (const auto& pool : supervisor.living()) {
    pool->end();
  }
}

void before_fork() { supervisor.mutex.lock(); }
void after_in_parent() { supervisor.mutex.unlock(); }
void after_in_child() {
  for (const auto& weak : supervisor.pools) {
    if (const auto pool = weak.lock()) {
      pool->disown();
    }
  }
  supervisor.pools.clear();
  supervisor.nudge.reset();
  supervisor.running = false;
  disown_listener();
  disown_stderr_relay();
  supervisor.mutex.unlock();
}

}  // namespace

void supervise(const std::shared_ptr<detail::PoolCore>& core) {
  const std::lock_guard guard(supervisor.mutex);
  supervisor.pools.push_back(core);
  if (!supervisor.running) {
    process::set_services_end(end_all);
    process::set_services_fork(before_fork, after_in_parent, after_in_child);
    supervisor.nudge = platform::make_event();
    process::add_own_threads(1);
    std::thread(run_supervisor).detach();
    supervisor.running = true;
  }
}

std::vector<std::shared_ptr<detail::PoolCore>> living_pools() { return supervisor.living(); }

void nudge_supervisor() noexcept { platform::raise_event(supervisor.nudge.get()); }

}  // namespace procession::pool
