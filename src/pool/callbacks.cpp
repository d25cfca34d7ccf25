#include "pool/callbacks.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "log/log.hpp"
#include "platform/copy_check.hpp"
#include "platform/own_mutex.hpp"
#include "pool/core.hpp"
#include "process/failure.hpp"
#include "process/own_thread.hpp"

namespace procession::pool {

namespace {

struct Posted {
  std::shared_ptr<detail::PoolCore> pool;
  std::function<void()> callback;
};

struct Callbacks {
  platform::OwnMutex mutex;
  std::condition_variable_any changed;
  std::deque<Posted> waiting;
  const detail::PoolCore* running_for = nullptr;
  std::thread::id thread;

  [[nodiscard]] bool has(const detail::PoolCore& pool) const {
    return running_for == &pool ||
           std::any_of(waiting.begin(), waiting.end(),
                       [&](const Posted& one) { return one.pool.get() == &pool; });
  }

  /// Runs the one at this place, with the mutex given up meanwhile.
  void run(const std::deque<Posted>::iterator& place, std::unique_lock<platform::OwnMutex>& guard) {
    Posted one = std::move(*place);
    waiting.erase(place);
    const detail::PoolCore* const outer = std::exchange(running_for, one.pool.get());
    guard.unlock();
    const platform::CopyCheck check;
    run_callback(one.callback);
    check.end_copies("a callback of a task");
    // What it captured, and perhaps the pool, ends here, while it still counts as running.
    one.callback = nullptr;
    one.pool.reset();
    guard.lock();
    running_for = outer;
    changed.notify_all();
  }
};

/// Never destroyed: the thread outlives main(). Made when it is used first, which may be before
/// main().
Callbacks& the_callbacks() {
  static Callbacks& one = *new Callbacks;
  return one;
}

[[noreturn]] void run() {
  std::unique_lock guard(the_callbacks().mutex);
  for (;;) {
    the_callbacks().changed.wait(guard, [] { return !the_callbacks().waiting.empty(); });
    the_callbacks().run(the_callbacks().waiting.begin(), guard);
  }
}

}  // namespace

void run_callback(const std::function<void()>& callback) noexcept {
  platform::expect_unlocked("a callback");
  try {
    callback();
  } catch (...) {
    log::write(LogLevel::error,
               "a callback of a task threw " + process::failure_text(std::current_exception()));
  }
}

void prepare_callbacks() {
  const std::lock_guard guard(the_callbacks().mutex);
  if (the_callbacks().thread == std::thread::id()) {
    the_callbacks().thread = process::start_own_thread(run);
  }
}

void post_callback(std::shared_ptr<detail::PoolCore> pool, std::function<void()> callback) {
  prepare_callbacks();
  const std::lock_guard guard(the_callbacks().mutex);
  the_callbacks().waiting.push_back({std::move(pool), std::move(callback)});
  the_callbacks().changed.notify_all();
}

void finish_callbacks(const detail::PoolCore& pool) {
  std::unique_lock guard(the_callbacks().mutex);
  if (the_callbacks().thread != std::this_thread::get_id()) {
    the_callbacks().changed.wait(guard, [&] { return !the_callbacks().has(pool); });
    return;
  }
  for (;;) {
    const auto next = std::find_if(the_callbacks().waiting.begin(), the_callbacks().waiting.end(),
                                   [&](const Posted& one) { return one.pool.get() == &pool; });
    if (next == the_callbacks().waiting.end()) {
      return;
    }
    the_callbacks().run(next, guard);
  }
}

void disown_callbacks() noexcept {
  // What they hold is the parent's; left where it is, as are the mutex and those that wait for it.
  new (&the_callbacks()) Callbacks;
}

}  // namespace procession::pool
