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

#include "procession/async_result.hpp"
#include "procession/callable.hpp"
#include "procession/context.hpp"
#include "procession/detail/elements.hpp"
#include "procession/detail/pool_core.hpp"
#include "procession/detail/stream_core.hpp"
#include "procession/detail/task_run.hpp"
#include "procession/result_range.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// How a pool is made.
struct PoolOptions {
  std::size_t processes = 0;          ///< workers; 0: `cpu_count()`
  Function<void()> initializer = {};  ///< runs first in each worker; `bind` gives it arguments
  /// A worker is replaced after so many tasks; empty: never. A task is what a worker takes at a
  /// time: a call of `apply`, and of `map`, `starmap` and `imap` a chunk of elements (see
  /// `MapOptions::chunksize`, by which 0 lets the pool decide, and 1 makes each element a task).
  /// Python: `maxtasksperchild`, which counts the same.
  std::optional<std::size_t> max_tasks_per_child = {};
  std::optional<StartMethod> start_method = {};  ///< empty: `get_start_method()`
  /// Bytes of memory that a worker may have for itself (neither what processes share is counted,
  /// nor what a fork began with). One that has more when a task has ended is replaced. One that
  /// grows past it during a task is killed within some hundredths of a second, and its task fails
  /// with a `WorkerLost` that says so. Empty: no limit. Not for threads, which have one memory.
  /// Python: `worker_max_memory_per_child` of Celery's billiard.
  std::optional<std::size_t> max_memory_per_child = {};
};

/// How a range is mapped.
struct MapOptions {
  /// Elements that a worker takes at a time. A function that a call may change (a `mutable` lambda;
  /// one that takes what was bound by a reference that is not `const`; a Function that holds such a
  /// one) is copied anew for each such chunk. Any other, called through `const`, is copied once for
  /// each worker and each call of `map` or `imap`, with what it captured or what was bound to it,
  /// and let go soon after all results are there. Of chunks that take next to no time `map` hands
  /// several to a worker, and gives those to others that wait for some milliseconds behind a long
  /// one. 0: chosen, by how long the first took: as many as keep it busy for some milliseconds, and
  /// fewer towards the end; by `imap`, 1.
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
  /// For `imap` of a range that does not know its size, `total` is how many were taken from it.
  std::function<void(std::size_t done, std::size_t total)> progress = {};
  /// Of `imap`: how many elements may be taken from the range before their results are asked for;
  /// 0: 32 chunks for each worker, and up to 512 for each, but 1024 in all, while so many are read
  /// within a millisecond. From a range that gives its elements slowly two for each worker are
  /// taken at most, and each is handed over at once. Python: `Executor.map(buffersize=...)`, which
  /// takes all by default.
  std::size_t buffersize = 0;
};

namespace detail {

/// What pools have in common: all members but how they are made. Of Pool and ThreadPool, see there.
class PoolMembers {
 public:
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
    if constexpr (check_task<const F&, const Args&...>()) {
      TaskBuilder task;
      encode_entry<&run_single<std::decay_t<const F&>, Kept<const Args&>...>>(task);
      encode_call(task, f, args...);
      using R = TaskResult<const F&, const Args&...>;
      return JobAccess::result<R>(submit_single(core_, task));
    } else {
      return JobAccess::result<void>(nullptr);  // was refused; no second error
    }
  }

  /// Calls `f` with each element and returns the results in the elements' order; nothing when `f`
  /// returns void. When elements throw, all others run all the same, and then the exception of the
  /// first of them is thrown. Throws `std::invalid_argument` for a range of more than 2^40
  /// elements.
  template <class F, std::ranges::input_range Range>
  auto map(const F& f, Range&& range, MapOptions options = {}) {
    return map_async(f, std::forward<Range>(range), std::move(options)).get();
  }
  /// The same for elements in braces; so below.
  template <class F, class T>
  auto map(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return map_async(f, range, std::move(options)).get();
  }

  /// The same without waiting. Throws as `apply_async` does.
  template <class F, std::ranges::input_range Range>
  auto map_async(const F& f, Range&& range, MapOptions options = {}) {
    return map_all<WholeElements>(f, range, std::move(options));
  }
  template <class F, class T>
  auto map_async(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return map_all<WholeElements>(f, range, std::move(options));
  }

  /// As `map`, for functions of several parameters: the parts of each element, a tuple, a pair, an
  /// array or a plain struct, are the arguments.
  ///
  ///     pool.starmap(power, std::vector<std::pair<int, int>>{{2, 5}, {3, 2}});
  template <class F, std::ranges::input_range Range>
  auto starmap(const F& f, Range&& range, MapOptions options = {}) {
    return starmap_async(f, std::forward<Range>(range), std::move(options)).get();
  }
  template <class F, class T>
  auto starmap(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return starmap_async(f, range, std::move(options)).get();
  }

  /// The same without waiting. Throws as `apply_async` does.
  template <class F, std::ranges::input_range Range>
  auto starmap_async(const F& f, Range&& range, MapOptions options = {}) {
    return map_all<SplitElements>(f, range, std::move(options));
  }
  template <class F, class T>
  auto starmap_async(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return map_all<SplitElements>(f, range, std::move(options));
  }

  /// The results of `f` for the elements, in their order, each as soon as it is there: a
  /// `ResultRange`, which takes elements from the range only as results are asked for. A range that
  /// is an lvalue has to outlive it. Throws as `apply_async` does.
  template <class F, std::ranges::input_range Range>
  auto imap(const F& f, Range&& range, MapOptions options = {}) {
    return stream(f, std::forward<Range>(range), std::move(options), true);
  }
  template <class F, class T>
  auto imap(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return stream(f, std::vector<T>(range), std::move(options), true);
  }

  /// The same in the order in which the tasks end.
  template <class F, std::ranges::input_range Range>
  auto imap_unordered(const F& f, Range&& range, MapOptions options = {}) {
    return stream(f, std::forward<Range>(range), std::move(options), false);
  }
  template <class F, class T>
  auto imap_unordered(const F& f, std::initializer_list<T> range, MapOptions options = {}) {
    return stream(f, std::vector<T>(range), std::move(options), false);
  }

  /// No more tasks are taken; those that were run to their end, then the workers end. Does not
  /// wait.
  void close() { close_pool(core_); }
  /// Ends the workers at once: SIGTERM, then SIGKILL. Tasks that have not ended fail with
  /// `Cancelled`.
  void terminate() { terminate_pool(core_); }
  /// Waits for the workers of a closed or terminated pool to end. Throws `ProcessError` while the
  /// pool is open.
  void join() { join_pool(core_); }

  /// How many workers it was made with.
  [[nodiscard]] std::size_t size() const { return pool_size(core_); }
  /// The process ids of the workers that live now: one that has ended and is just being replaced is
  /// not among them.
  [[nodiscard]] std::vector<int> pids() const { return pool_pids(core_); }

 protected:
  /// Workers as chosen, of the start method that the options do not name.
  explicit PoolMembers(PoolOptions options, std::optional<StartMethod> method)
      : core_(make_pool({options.processes, std::move(options.initializer),
                         options.max_tasks_per_child,
                         method ? std::optional<int>(static_cast<int>(*method)) : std::nullopt,
                         options.max_memory_per_child})) {}
  PoolMembers(PoolMembers&& other) noexcept = default;
  PoolMembers& operator=(PoolMembers&& other) noexcept {
    PoolMembers ended(std::move(*this));
    core_ = std::move(other.core_);
    return *this;
  }
  ~PoolMembers() { end_pool(core_); }

 private:
  friend struct JobAccess;

  template <class How, class F, class Range>
  auto map_all(const F& f, Range& range, MapOptions options) {
    if constexpr (std::ranges::forward_range<Range>) {
      return map_counted<How>(f, range, count_of(std::ranges::distance(range)), std::move(options));
    } else {
      std::vector<std::ranges::range_value_t<Range>> elements;
      for (auto&& element : range) {
        elements.push_back(std::forward<decltype(element)>(element));
      }
      return map_counted<How>(f, elements, elements.size(), std::move(options));
    }
  }

  template <class How, class F, class Range>
  auto map_counted(const F& f, Range& range, std::size_t total, MapOptions options) {
    using Reference = std::ranges::range_reference_t<Range>;
    using Call = EachCall<F, typename How::template Kinds<Reference>>;
    if constexpr (Call::check()) {
      TaskBuilder call;
      Call::encode(call, f);
      const std::size_t chunksize = options.chunksize;
      const JobPtr job = begin_map(core_, call, total, job_settings(std::move(options)));
      const std::size_t chunk = chunk_size(core_, total, chunksize);
      auto element = std::ranges::begin(range);
      for (std::size_t first = 0; first < total; first += chunk) {
        const std::size_t count = std::min(chunk, total - first);
        TaskBuilder items(count * sizeof(std::ranges::range_value_t<Range>));
        encode_elements<How>(items, element, count, chunksize);
        submit_chunk(job, items, first, count);
      }
      return JobAccess::result<typename MapResult<typename Call::Result>::type>(job);
    } else {
      return JobAccess::result<void>(nullptr);  // was refused; no second error
    }
  }

  template <class F, class Range>
  auto stream(const F& f, Range&& range, MapOptions options, bool ordered) {
    using Call = EachCall<F, WholeElements::Kinds<std::ranges::range_reference_t<Range>>>;
    if constexpr (Call::check()) {
      TaskBuilder call;
      Call::encode_for_outcomes(call, f);
      StreamSettings settings{ordered, options.chunksize, options.buffersize, {}, {}};
      if constexpr (std::ranges::sized_range<Range>) {
        settings.total = count_of(std::ranges::size(range));
      }
      settings.job = job_settings(std::move(options));
      settings.job.divisible = false;
      return ResultRange<typename Call::Result>(
          open_stream(core_, call, stream_source<WholeElements>(std::forward<Range>(range)),
                      std::move(settings)));
    } else {
      return ResultRange<void>(nullptr);  // was refused; no second error
    }
  }

  static JobSettings job_settings(MapOptions options) {
    return {options.retries, std::move(options.progress), options.timeout, true, options.chunksize};
  }

  PoolPtr core_;
};

}  // namespace detail

/// A fixed number of worker processes that run tasks.
///
///     mp::Pool pool(4);
///     std::vector<int> squares = pool.map(square, numbers);
///
/// A worker and the programs that its tasks run (`std::system`, popen, posix_spawn) end together,
/// whatever ends the worker: a time-out, cancel(), terminate(), a memory limit, a signal, the end
/// of this process, or a SIGKILL of both at once: for that the programs inherit one descriptor, and
/// one that closes it lives on in this last case. It leads a process group of its own, which a
/// program that is to stay leaves (setsid). In the foreground of a terminal, whose keys signal one
/// group, workers stay in that of this process: Ctrl-C interrupts the programs and this process,
/// which decides what becomes of the workers, and Ctrl-Z stops all. There a program outlives its
/// worker only if something other than this process ended that. Beside a terminal, tasks cannot
/// read from it.
///
/// A task is a call whose function, arguments and result can be sent. A worker that dies fails only
/// the task it was running, with `WorkerLost`, and is replaced; no call waits for ever for it.
/// States: open, closed, terminated; destruction joins a closed pool and terminates an open one.
/// What a task printed (standard output and error, by the streams of C and C++) is out before its
/// result is there, and that of each element before the element counts as ended, however the
/// workers end later. A worker that is lost or ended in the middle of a task, or while something
/// that a task left behind prints, loses what it has not written out yet. Output that has no room
/// holds up its worker and nobody else. Python loses such output when a pool is terminated.
///
/// A pool that is there still when main() has returned or exit() was called, such as a static one,
/// can be used by handlers of atexit() and destructors of static objects that were made after
/// init(), and ends before those that were made earlier, at namespace scope: what its threads use
/// of them is there until then. A task that is given to it later throws `ProcessError`. Python: the
/// same, of what was registered by atexit before multiprocessing was imported.
///
/// A task that calls fork() or daemon() and returns, or throws, in the copy has one outcome, the
/// original's (where that has ended, as daemon() does, `WorkerLost`): the copy ends there, by
/// _exit() with status 70 and a line on standard error. A copy that ends inside is its own affair.
///
/// Thread-safe; for the process that made it alone: a fork of it may read results that had ended,
/// and for anything else gets `ProcessError`; terminate() does nothing there. Movable: what the
/// target named before ends as by destruction. Its members are those of `detail::PoolMembers`
/// above. Python: `multiprocessing.Pool`.
class Pool : public detail::PoolMembers {
 public:
  /// Starts `processes` workers, 0: `cpu_count()`. Throws as `Process::start` does.
  explicit Pool(std::size_t processes = 0) : Pool(PoolOptions{.processes = processes}) {}

  /// The same, with all that can be chosen. Throws `std::invalid_argument` for more than 1024
  /// workers and for `max_tasks_per_child` or `max_memory_per_child` of 0.
  explicit Pool(PoolOptions options) : PoolMembers(options, options.start_method) {}
};

/// A pool whose workers are threads of this process: the same members and results, nothing is
/// isolated. A task that crashes ends the program, and one that runs cannot be stopped: `terminate`
/// waits for it. What tasks capture may be references, and what they throw may be of any type
/// (exception.hpp). Python: `multiprocessing.pool.ThreadPool`.
class ThreadPool : public detail::PoolMembers {
 public:
  /// Starts `processes` threads, 0: `cpu_count()`. Throws as `Thread::start` does.
  explicit ThreadPool(std::size_t processes = 0)
      : ThreadPool(PoolOptions{.processes = processes}) {}

  /// The same, with all that can be chosen. Throws as Pool does, and `std::invalid_argument` for
  /// another start method than `thread` and for `max_memory_per_child`.
  explicit ThreadPool(PoolOptions options)
      : PoolMembers(options, detail::only_threads(options.start_method)) {}
};

}  // namespace procession
