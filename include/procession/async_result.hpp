#pragma once

#include <exception>
#include <utility>

#include "procession/detail/job_callback.hpp"
#include "procession/detail/pool_core.hpp"
#include "procession/detail/task_results.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// The result of a task that may not have ended yet. A copy names the same task. Thread-safe.
/// Python: `multiprocessing.pool.AsyncResult`.
template <class R>
class AsyncResult {
 public:
  /// Waits for the result. Throws what the task threw, `WorkerLost` when its worker died,
  /// `Cancelled` when the pool was terminated, and `TimeoutError` when the time-out passes first.
  R get(Timeout timeout = {}) const {
    detail::finish_job(job_, timeout);
    return detail::TaskResults<R>::decode(job_);
  }

  /// Waits for the end of the task, however it ends; true when it has ended, false when the
  /// time-out passes first.
  bool wait(Timeout timeout = {}) const { return detail::wait_job(job_, timeout); }

  /// Whether the task has ended.
  [[nodiscard]] bool ready() const { return detail::job_ready(job_); }

  /// Whether it ended with a result. Throws `ProcessError` while it has not ended.
  [[nodiscard]] bool successful() const { return detail::job_failure(job_) == nullptr; }

  /// Has `on_value(result)` called when the task has ended well, `on_value()` of one without a
  /// result, and `on_error(std::exception_ptr)` when it has not; one of them, once. When the task
  /// has ended already that happens here and now; else in the one thread of this process that runs
  /// the callbacks of all pools, one after another, though nobody waits for the task. There they
  /// may submit tasks and wait for them, but a callback that takes long delays those behind it.
  /// What they throw is written to the log as an error. `Pool::join` and the destruction of the
  /// pool wait for them, so what they capture has to last no longer. May be called any number of
  /// times. Throws OutOfMemory, and `std::system_error` where that thread cannot be started.
  /// Python: `callback`, `error_callback` of `apply_async`.
  template <class OnValue, class OnError = detail::NoCallback>
  AsyncResult& then(OnValue on_value, OnError on_error = {}) {
    detail::call_at_job_end(
        job_, detail::job_callback<R>(job_, std::move(on_value), std::move(on_error)));
    return *this;
  }

  /// Stops the task: it fails with `Cancelled`. One that waits never runs; one that runs loses its
  /// worker, which is killed and replaced. Of a map, all elements that have not ended are stopped.
  /// False, and nothing has changed, when the task has ended; and when a thread runs it (start
  /// method `thread`, ThreadPool), which cannot be stopped. Python: nearest is `Future.cancel`,
  /// which leaves running tasks alone.
  bool cancel() const { return detail::cancel_job(job_); }

 private:
  friend struct detail::JobAccess;
  explicit AsyncResult(detail::JobPtr job) : job_(std::move(job)) {}

  detail::JobPtr job_;
};

template <class R>
class Future;

/// From a job to its face and back.
struct detail::JobAccess {
  /// The face of a job whose result is an R.
  template <class R>
  static AsyncResult<R> result(JobPtr job) {
    return AsyncResult<R>(std::move(job));
  }
  /// The face that executors give it.
  template <class R>
  static Future<R> future(AsyncResult<R> result) {
    return Future<R>(std::move(result));
  }
  /// The job behind it.
  template <class R>
  static const JobPtr& job(const AsyncResult<R>& result) {
    return result.job_;
  }
  /// The same.
  template <class R>
  static const JobPtr& job(const Future<R>& future) {
    return future.job();
  }
  /// What is behind a pool.
  template <class AnyPool>
  static PoolPtr& core(AnyPool& pool) {
    return pool.core_;
  }
};

}  // namespace procession
