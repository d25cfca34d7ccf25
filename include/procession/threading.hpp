#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "procession/detail/thread_core.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// What may be said of a thread before it starts.
struct ThreadOptions {
  std::string name = {};            ///< empty: `Thread-1`, `Thread-2`, …
  std::optional<bool> daemon = {};  ///< empty: as the thread that creates it
};

/// A call of a function on a thread of this process.
///
///     mp::Thread t(greet, "bob");           // nothing runs yet
///     mp::Thread u({.name = "sum"}, [&] { total += 1; });
///     t.start();
///     t.join();
///
/// Whatever can be called will do, closures that captured references too: it is the same process,
/// and nothing is encoded. The function and its arguments are kept as `std::thread` keeps them
/// (`std::ref` for a reference) and passed as lvalues, as a `Process` passes them.
///
/// An exception that leaves the function is printed on stderr, `Exception in thread NAME:` with its
/// type and text, and the program goes on. Destruction joins a running thread, unless it is a
/// daemon: that one runs on by itself, and the program ends without it, in the middle of whatever
/// it does. `std::exit` waits for no thread. Members may be called from any thread, except that
/// moving and destroying need what they need of any object. Python: `threading.Thread`.
class Thread {
 public:
  /// Keeps the call. Throws what copying or moving the arguments throws.
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, Thread> &&
             !std::same_as<std::remove_cvref_t<F>, ThreadOptions> &&
             detail::CallableWith<std::decay_t<F>, std::decay_t<Args>...>)
  explicit Thread(F&& target, Args&&... args)
      : Thread(ThreadOptions{}, std::forward<F>(target), std::forward<Args>(args)...) {}

  /// The same with a name or daemon flag: `Thread({.daemon = true}, watch)`.
  template <class F, class... Args>
    requires detail::CallableWith<std::decay_t<F>, std::decay_t<Args>...>
  Thread(ThreadOptions options, F&& target, Args&&... args)
      : thread_(detail::make_thread(
            std::move(options.name), options.daemon,
            std::make_unique<detail::ThreadCallOf<std::decay_t<F>, std::decay_t<Args>...>>(
                std::forward<F>(target), std::forward<Args>(args)...))) {}

  Thread(Thread&& other) noexcept = default;
  /// Ends what this object named before as destruction does.
  Thread& operator=(Thread&& other) noexcept {
    Thread ended(std::move(*this));
    thread_ = std::move(other.thread_);
    return *this;
  }
  ~Thread() { detail::end_thread(thread_); }

  /// Starts the thread, at most once. Throws `ProcessError` on a second call and when no thread can
  /// be made, with the limit in its text.
  void start() { detail::start_thread(thread_); }

  /// Waits for the function to end; true when it has, false when the time-out passes first. Any
  /// number of threads may join. Throws `ProcessError` before start(), from the thread itself and
  /// in the child of a fork, where no thread of its parent runs.
  bool join(Timeout timeout = {}) { return detail::join_thread(thread_, timeout); }

  /// Whether it has been started and has not ended.
  [[nodiscard]] bool is_alive() const { return detail::thread_is_alive(thread_); }

  /// Its name; need not be unique.
  [[nodiscard]] const std::string& name() const { return detail::thread_name(thread_); }

  /// Whether the program ends without waiting for it.
  [[nodiscard]] bool daemon() const { return detail::thread_daemon(thread_); }

 private:
  detail::ThreadPtr thread_;
};

/// A thread as it is seen from itself.
struct ThreadInfo {
  std::string name;  ///< "MainThread" where main() runs; "Dummy-1", … of threads made otherwise
  int native_id;     ///< the kernel's number of the thread
  bool daemon;       ///< whether the program ends without waiting for it
};

/// The thread that calls. Python: `threading.current_thread()`.
ThreadInfo current_thread();

}  // namespace procession
