#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include "procession/callable.hpp"
#include "procession/context.hpp"
#include "procession/detail/job_callback.hpp"
#include "procession/detail/pool_core.hpp"
#include "procession/detail/task_results.hpp"
#include "procession/detail/task_run.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// How a pool is made.
struct PoolOptions {
  std::size_t processes = 0;          ///< workers; 0: `cpu_count()`
  Function<void()> initializer = {};  ///< runs first in each worker; `bind` gives it arguments
  std::optional<std::size_t> max_tasks_per_child =
      {};  ///< a worker is replaced after so many; empty: never
  std::optional<StartMethod> start_method = {};  ///< empty: `get_start_method()`
  /// Bytes of memory that a worker may have for itself (what processes share is not counted). One
  /// that has more when a task has ended is replaced. One that grows past it during a task is
  /// killed within some hundredths of a second, and its task fails with a `WorkerLost` that says
  /// so. Empty: no limit. Not for threads, which have one memory. Python:
  /// `worker_max_memory_per_child` of Celery's billiard.
  std::optional<std::size_t> max_memory_per_child = {};
};

/// How a range is mapped.
struct MapOptions {
  /// Elements that a worker takes at a time. 0: chosen, by how long the first took: as many as keep
  /// it busy for some milliseconds, and fewer towards the end.
  std::size_t chunksize = 0;
  /// How long an element may run, counted from its start; the worker of one that runs longer is
  /// killed and replaced, and that element alone fails, with `TimeoutError`. A thread (start method
  /// `thread`, ThreadPool) cannot be stopped: the element fails then too, but its thread is only
  /// free once it has ended. Empty: for ever; not positive: `std::invalid_argument`.
  Timeout timeout = {};
  /// How often an element runs anew whose worker was lost or, where workers are processes, that ran
  /// too long.
  unsigned retries = 0;
  /// Told, in the thread that waits for the results, how many elements of how many have ended. Must
  /// not throw.
  std::function<void(std::size_t done, std::size_t total)> progress = {};
};

/// The result of a task that may not have ended yet. A copy names the same task. Thread-safe.
/// Python: `multiprocessing.pool.AsyncResult`.
template <class R>
class AsyncResult {
 public:
  /// Waits for the result. Throws what the task threw, `WorkerLost` when its worker died,
  /// `Cancelled` when the pool was terminated, and `TimeoutError` when the time-out passes first.
  R get(Timeout timeout = {}) const {
    return detail::TaskResults<R>::decode(detail::finish_job(job_, timeout),
                                          detail::job_is_map(job_));
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
  friend class Pool;
  explicit AsyncResult(detail::JobPtr job) : job_(std::move(job)) {}

  detail::JobPtr job_;
};

/// A fixed number of worker processes that run tasks.
///
///     mp::Pool pool(4);
///     std::vector<int> squares = pool.map(square, numbers);
///
/// A task is a call whose function, arguments and result can be sent. A worker that dies fails only
/// the task it was running, with `WorkerLost`, and is replaced; no call waits for ever for it.
/// States: open, closed, terminated; destruction joins a closed pool and terminates an open one.
/// Thread-safe; for the process that made it alone. Python: `multiprocessing.Pool`.
class Pool {
 public:
  /// Starts `processes` workers, 0: `cpu_count()`. Throws as `Process::start` does.
  explicit Pool(std::size_t processes = 0) : Pool(PoolOptions{.processes = processes}) {}

  /// The same, with all that can be chosen. Throws `std::invalid_argument` for more than 1024
  /// workers, for `max_tasks_per_child` or `max_memory_per_child` of 0, and for the latter by
  /// threads.
  explicit Pool(PoolOptions options)
      : core_(detail::make_pool(
            {options.processes, std::move(options.initializer), options.max_tasks_per_child,
             options.start_method ? std::optional<int>(static_cast<int>(*options.start_method))
                                  : std::nullopt,
             options.max_memory_per_child})) {}

  Pool(Pool&& other) noexcept = default;
  /// Ends what this object named before as destruction does.
  Pool& operator=(Pool&& other) noexcept {
    Pool ended(std::move(*this));
    core_ = std::move(other.core_);
    return *this;
  }
  ~Pool() { detail::end_pool(core_); }

  /// Calls `f(args...)` in a worker and waits for its result. Throws what the call threw, with its
  /// type where that can be had (see exception.hpp), and `WorkerLost`.
  template <class F, class... Args>
  auto apply(const F& f, const Args&... args) {
    return apply_async(f, args...).get();
  }

  /// Hands the call to a worker and does not wait. Throws `ProcessError` when the pool is not open,
  /// and `std::invalid_argument` when `f` captured an address of this process.
  template <class F, class... Args>
  auto apply_async(const F& f, const Args&... args) {
    if constexpr (detail::check_task<const F&, const Args&...>()) {
      detail::TaskDraft task;
      detail::encode_entry<
          &detail::run_single<std::decay_t<const F&>, detail::Kept<const Args&>...>>(task);
      detail::encode_call(task, f, args...);
      using R = detail::TaskResult<const F&, const Args&...>;
      return AsyncResult<R>(detail::submit_single(core_, task));
    } else {
      return AsyncResult<void>(nullptr);  // was refused; no second error
    }
  }

  /// Calls `f` with each element and returns the results in the elements' order; nothing when `f`
  /// returns void. When elements throw, all others run all the same, and then the exception of the
  /// first of them is thrown.
  template <class F, std::ranges::input_range Range>
  auto map(const F& f, Range&& range, MapOptions options = {}) {
    return map_async(f, std::forward<Range>(range), std::move(options)).get();
  }
  /// The same for elements in braces.
  template <class F, class T>
  auto map(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return map_async(f, range, std::move(options)).get();
  }

  /// The same without waiting. Throws as `apply_async` does.
  template <class F, std::ranges::input_range Range>
  auto map_async(const F& f, Range&& range, MapOptions options = {}) {
    if constexpr (std::ranges::forward_range<Range>) {
      return map_counted(f, range, static_cast<std::size_t>(std::ranges::distance(range)),
                         std::move(options));
    } else {
      std::vector<std::ranges::range_value_t<Range>> elements;
      for (auto&& element : range) {
        elements.push_back(std::forward<decltype(element)>(element));
      }
      return map_counted(f, elements, elements.size(), std::move(options));
    }
  }
  /// The same for elements in braces.
  template <class F, class T>
  auto map_async(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return map_counted(f, range, range.size(), std::move(options));
  }

  /// No more tasks are taken; those that were run to their end, then the workers end. Does not
  /// wait.
  void close() { detail::close_pool(core_); }
  /// Ends the workers at once: SIGTERM, then SIGKILL. Tasks that have not ended fail with
  /// `Cancelled`.
  void terminate() { detail::terminate_pool(core_); }
  /// Waits for the workers of a closed or terminated pool to end. Throws `ProcessError` while the
  /// pool is open.
  void join() { detail::join_pool(core_); }

  /// How many workers it was made with.
  [[nodiscard]] std::size_t size() const { return detail::pool_size(core_); }
  /// The process ids of the workers that live now.
  [[nodiscard]] std::vector<int> pids() const { return detail::pool_pids(core_); }

 private:
  template <class F, class Range>
  auto map_counted(const F& f, Range& range, std::size_t total, MapOptions options) {
    using Element = detail::Kept<std::ranges::range_reference_t<Range>>;
    if constexpr (detail::check_task<const F&, Element>()) {
      detail::TaskDraft call;
      detail::encode_entry<&detail::run_each<std::decay_t<const F&>, Element>>(call);
      detail::encode_call(call, f);
      const detail::JobPtr job = detail::begin_map(
          core_, call, total,
          {options.retries, std::move(options.progress), options.timeout, options.chunksize == 0});
      const std::size_t chunk = detail::chunk_size(core_, total, options.chunksize);
      auto element = std::ranges::begin(range);
      for (std::size_t first = 0; first < total; first += chunk) {
        const std::size_t count = std::min(chunk, total - first);
        detail::TaskDraft items(count * sizeof(Element));
        detail::encode_elements(items, element, count);
        detail::submit_chunk(job, items, first, count);
      }
      using R = detail::TaskResult<const F&, Element>;
      return AsyncResult<typename detail::MapResult<R>::type>(job);
    } else {
      return AsyncResult<void>(nullptr);  // was refused; no second error
    }
  }

  detail::PoolPtr core_;
};

}  // namespace procession
