#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "procession/async_result.hpp"
#include "procession/detail/pool_core.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// The result of a call that was given to an executor. A copy names the same call. Thread-safe.
///
///     mp::Future<int> future = executor.submit(square, 7);
///     int result = future.result();
///     int same = co_await future;          // in a coroutine
///
/// A coroutine that awaits it goes on at once where the call has ended, and else in the one thread
/// of this process that runs callbacks (see `AsyncResult::then`), which waits for it: it should not
/// run there for long. `co_await` gives and throws what `result()` does. A coroutine must not be
/// destroyed while it awaits. Python: `concurrent.futures.Future`.
template <class R>
class Future {
 public:
  /// The type of `result()`.
  using value_type = R;

  /// Waits for the result. Throws what the call threw, `WorkerLost` when its worker died,
  /// `Cancelled` when it was cancelled, and `TimeoutError` when the time-out passes first.
  R result(Timeout timeout = {}) const { return result_.get(timeout); }

  /// Waits for the end; what the call threw, null when it threw nothing. Throws `Cancelled` and
  /// `TimeoutError` as `result` does.
  [[nodiscard]] std::exception_ptr exception(Timeout timeout = {}) const {
    return detail::future_exception(job(), timeout);
  }

  /// Whether it has ended, by a result, an exception or `cancel`.
  [[nodiscard]] bool done() const { return result_.ready(); }

  /// Whether a worker is at it.
  [[nodiscard]] bool running() const { return detail::job_running(job()); }

  /// Whether it was cancelled, by `cancel` or with its executor.
  [[nodiscard]] bool cancelled() const { return detail::job_cancelled(job()); }

  /// Stops the call: one that waits never runs, one that runs loses its worker, which is killed and
  /// replaced. Whether it is cancelled now: false when it has ended otherwise, and when a thread
  /// runs it. Python: the same, but what runs cannot be cancelled.
  bool cancel() const { return detail::cancel_job(job()) || cancelled(); }

  /// Has `callback(future)`, or `callback()`, called once it is done: here and now when it is, else
  /// in the thread for callbacks, as `AsyncResult::then` does.
  template <class Callback>
  void add_done_callback(Callback callback) const {
    // Callbacks need not be copyable, as a std::function has to be.
    detail::call_at_job_end(job(),
                            [self = *this, kept = std::make_shared<Callback>(std::move(callback))] {
                              if constexpr (std::is_invocable_v<Callback&, Future>) {
                                (*kept)(self);
                              } else {
                                (*kept)();
                              }
                            });
  }

  /// What `co_await` needs.
  class Awaiter {
   public:
    /// Of this future.
    explicit Awaiter(Future future) : future_(std::move(future)) {}
    /// Whether there is nothing to wait for.
    [[nodiscard]] bool await_ready() const { return future_.done(); }
    /// Has the coroutine go on at the end of the call.
    void await_suspend(std::coroutine_handle<> waiting) const {
      detail::call_at_job_end(future_.job(), [waiting] { waiting.resume(); });
    }
    /// What `result()` gives.
    R await_resume() const { return future_.result(); }

   private:
    Future future_;
  };
  /// Makes it something to `co_await`.
  Awaiter operator co_await() const { return Awaiter(*this); }

 private:
  friend struct detail::JobAccess;
  explicit Future(AsyncResult<R> result) : result_(std::move(result)) {}

  [[nodiscard]] const detail::JobPtr& job() const { return detail::JobAccess::job(result_); }

  AsyncResult<R> result_;
};

}  // namespace procession
