#pragma once

#include <cstddef>
#include <initializer_list>
#include <ranges>
#include <utility>

#include "procession/completion.hpp"
#include "procession/future.hpp"
#include "procession/pool.hpp"
#include "procession/result_range.hpp"

namespace procession {

namespace detail {

/// What executors have in common: all members but how they are made. Of ProcessPoolExecutor and
/// ThreadPoolExecutor, see there.
template <class PoolKind>
class ExecutorMembers {
 public:
  ExecutorMembers(ExecutorMembers&&) noexcept = default;
  /// Ends what this object named before as destruction does.
  ExecutorMembers& operator=(ExecutorMembers&& other) noexcept {
    ExecutorMembers ended(std::move(*this));
    pool_ = std::move(other.pool_);
    return *this;
  }
  /// As `shutdown()`.
  ~ExecutorMembers() { finish_pool(JobAccess::core(pool_)); }

  /// Hands the call to a worker and does not wait. Throws `ProcessError` after shutdown(), and
  /// `std::invalid_argument` when `f` captured an address of this process.
  template <class F, class... Args>
  auto submit(const F& f, const Args&... args) {
    return JobAccess::future(pool_.apply_async(f, args...));
  }

  /// As `Pool::imap`. Python: the same, which takes all elements at once unless `buffersize` says
  /// otherwise.
  template <class F, std::ranges::input_range Range>
  auto map(const F& f, Range&& range, MapOptions options = {}) {
    return pool_.imap(f, std::forward<Range>(range), std::move(options));
  }
  /// The same for elements in braces.
  template <class F, class T>
  auto map(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return pool_.imap(f, range, std::move(options));
  }

  /// No more calls are taken; those that were run to their end, or with `cancel_futures` only those
  /// that have begun, and the others are cancelled. With `wait`, waits for that and for the workers
  /// to end; else the destructor does. May be called again.
  void shutdown(bool wait = true, bool cancel_futures = false) {
    shut_down(JobAccess::core(pool_), wait, cancel_futures);
  }

 protected:
  explicit ExecutorMembers(PoolOptions options) : pool_(std::move(options)) {
    serve_executor(JobAccess::core(pool_));
  }

  PoolKind pool_;
};

}  // namespace detail

/// Runs calls in worker processes and gives a `Future` of each.
///
///     mp::ProcessPoolExecutor executor(4);
///     mp::Future<int> future = executor.submit(square, 7);
///     std::cout << future.result() << '\n';
///
/// A worker that dies fails only the call it was running, with `WorkerLost`, and is replaced: the
/// executor goes on. Destruction is `shutdown()`: it waits for all that was submitted. Thread-safe;
/// for the process that made it alone. Its other members are those of `detail::ExecutorMembers`
/// above. Python: `concurrent.futures.ProcessPoolExecutor`, which a lost worker breaks.
class ProcessPoolExecutor : public detail::ExecutorMembers<Pool> {
 public:
  /// Starts `max_workers` workers, 0: `cpu_count()`. Throws as Pool does.
  explicit ProcessPoolExecutor(std::size_t max_workers = 0)
      : ProcessPoolExecutor(PoolOptions{.processes = max_workers}) {}
  /// The same, with all that can be chosen of a Pool.
  explicit ProcessPoolExecutor(PoolOptions options) : ExecutorMembers(std::move(options)) {}

  /// Ends the workers at once, by SIGTERM and then SIGKILL, and shuts down: what has not ended is
  /// cancelled.
  void terminate_workers() { detail::terminate_pool(detail::JobAccess::core(pool_)); }
  /// The same by SIGKILL.
  void kill_workers() { detail::kill_pool(detail::JobAccess::core(pool_)); }
};

/// The same on threads of this process: nothing is isolated, and a call that runs cannot be
/// cancelled. Python: `concurrent.futures.ThreadPoolExecutor`.
class ThreadPoolExecutor : public detail::ExecutorMembers<ThreadPool> {
 public:
  /// Starts `max_workers` threads, 0: `cpu_count()`. Throws as ThreadPool does.
  explicit ThreadPoolExecutor(std::size_t max_workers = 0)
      : ThreadPoolExecutor(PoolOptions{.processes = max_workers}) {}
  /// The same, with all that can be chosen of a ThreadPool.
  explicit ThreadPoolExecutor(PoolOptions options) : ExecutorMembers(std::move(options)) {}
};

}  // namespace procession
