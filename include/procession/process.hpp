#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "procession/callable.hpp"
#include "procession/context.hpp"
#include "procession/detail/process_core.hpp"
#include "procession/error.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// What may be said of a process before it starts.
struct ProcessOptions {
  std::string name = {};            ///< empty: `Process-1`, `Process-2`, …
  std::optional<bool> daemon = {};  ///< empty: as the process that creates it
  std::optional<StartMethod> start_method =
      std::nullopt;  ///< empty: `get_start_method()` at the time of start()
};

/// A call of a function in a process of its own.
///
///     mp::Process p(greet, "bob");    // nothing runs yet; the arguments are encoded now
///     p.start();
///     p.join();
///
/// A target that calls fork() and returns, or throws, in the copy ends the copy there, by _exit()
/// with status 70 and a line on standard error; the process goes on in the original. (In Python the
/// copy goes through the end of the process too.)
///
/// A child ends by _exit(), once its streams are written out and its own children have ended,
/// however its target ends. `std::exit` in the target calls before that what the child itself
/// registered by std::atexit, and destroys static objects that were made there; handlers and static
/// objects from before belong to the parent, or to the part of the program before init(). So it is
/// with `std::quick_exit` and what was registered by std::at_quick_exit. Python: the same.
///
/// States: new, started, ended, closed. Destruction terminates and joins a running daemon, and
/// joins any other running process. A daemon that does not heed SIGTERM is killed after 5 s; where
/// several are destroyed one after another, those that do not heed it use these 5 s up together,
/// also at the end of the program, and one that follows has what they have left, 0.2 s at least. So
/// that each has 5 s, call `terminate()` of all first.
///
/// Members may be called from any thread, except that moving and destroying need what they need of
/// any object; only the process that started a child may join or signal it. Python:
/// `multiprocessing.Process`.
///
/// A daemon ends together with the programs that it started, and with this process, however any of
/// them ends: it leads a process group of its own. A program that is to stay leaves the group
/// (setsid). In the foreground of a terminal, whose keys signal one group, daemons stay in that of
/// this process, and their programs end with them when this process ends them. A process that is no
/// daemon always belongs to the group of this process; it leaves its programs alone when it ends in
/// order. Other processes that a child started by this library are not signalled with it. Python
/// leaves all programs behind.
class Process {
 public:
  /// Encodes the call of `target` with `args`; parameters by value, `const&` and `&` all bind.
  /// Throws `OutOfMemory` when the shared heap has no room for the arguments.
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, Process> &&
             !std::same_as<std::remove_cvref_t<F>, ProcessOptions>)
  explicit Process(F&& target, Args&&... args)
      : Process(ProcessOptions{}, std::forward<F>(target), std::forward<Args>(args)...) {}

  /// The same with a name, daemon flag or start method: `Process({.name = "Test"}, doubler, 2)`.
  template <class F, class... Args>
  Process(ProcessOptions options, F&& target, Args&&... args) {
    detail::ProcessBuilder builder;
    detail::encode_process_call(builder.encoder(), std::forward<F>(target),
                                std::forward<Args>(args)...);
    child_ = builder.finish(std::move(options.name), options.daemon,
                            method_number(options.start_method));
  }

  Process(Process&& other) noexcept = default;
  /// Ends what this object named before as destruction does.
  Process& operator=(Process&& other) noexcept {
    Process ended(std::move(*this));
    child_ = std::move(other.child_);
    return *this;
  }
  ~Process() { detail::end_child(child_); }

  /// Starts the process, at most once. Throws `NotInitialized` without `init()`,
  /// `std::invalid_argument` when the target captured an address of this process that the child
  /// could not use, `ProcessError` on a second call, in a daemon, and when no process can be made
  /// (limits, memory), with the limit in its text.
  void start() { detail::start_child(child_); }

  /// Waits for the end of the process; true when it has ended, false when the time-out passes
  /// first. Any number of threads may join. Throws `ProcessError` before start(), from the process
  /// itself and from one that did not start it.
  bool join(Timeout timeout = {}) { return detail::join_child(child_, timeout); }

  /// Whether it has been started and has not ended.
  [[nodiscard]] bool is_alive() const { return detail::child_is_alive(child_); }

  /// SIGTERM, to it and to the programs that it runs (`std::system`, popen, posix_spawn). Those
  /// that are left when the signal has ended it are killed once this process sees its end, by
  /// join(), say. Does nothing to a process that has ended. Throws `ProcessError` before start(),
  /// from a process that did not start it, and for the `thread` method, whose threads cannot be
  /// ended from outside. So do the next two.
  void terminate() { detail::signal_child(child_, detail::ChildSignal::terminate); }
  /// SIGKILL, to it and to the programs that it runs.
  void kill() { detail::signal_child(child_, detail::ChildSignal::kill); }
  /// SIGINT, as Ctrl-C sends it.
  void interrupt() { detail::signal_child(child_, detail::ChildSignal::interrupt); }

  /// Releases everything held for the process; every other member but the destructor throws from
  /// then on. Throws `ProcessError` while it runs.
  void close() { detail::close_child(child_); }

  /// Its name; need not be unique.
  [[nodiscard]] const std::string& name() const { return detail::child_name(child_); }
  /// Before start() only: the child is told its name when it starts. Throws `ProcessError`
  /// afterwards.
  void set_name(std::string name) { detail::set_child_name(child_, std::move(name)); }

  /// Whether it is terminated when this process ends, rather than waited for.
  [[nodiscard]] bool daemon() const { return detail::child_daemon(child_); }
  /// Before start() only; throws `ProcessError` afterwards.
  void set_daemon(bool daemon) { detail::set_child_daemon(child_, daemon); }

  /// The process id; 0 before start(). For the `thread` method, this process's own.
  [[nodiscard]] int pid() const { return detail::child_pid(child_); }

  /// Empty until it has ended; then 0 for a target that returned, n for `std::exit(n)`, 1 for an
  /// uncaught exception, -N when signal N ended it, and 255 when the program took the exit status
  /// away (it waits for all children, or ignores SIGCHLD). An `int` that the target returns is not
  /// the exit code.
  [[nodiscard]] std::optional<int> exitcode() const { return detail::child_exitcode(child_); }

  /// A descriptor that is readable once the process has ended, for poll() and its kin. Belongs to
  /// this object. Throws `ProcessError` before start().
  [[nodiscard]] int sentinel() const { return detail::child_sentinel(child_); }

 private:
  static std::optional<int> method_number(std::optional<StartMethod> method) {
    return method ? std::optional<int>(static_cast<int>(*method)) : std::nullopt;
  }

  std::shared_ptr<detail::Child> child_;
};

/// A process as it is seen from itself or from its relatives.
struct ProcessInfo {
  std::string name;  ///< "MainProcess" at the root
  int pid;           ///< process id
  bool daemon;       ///< whether it is terminated with its parent
};

/// The process (or, by the `thread` method, the thread) that calls. Python:
/// `multiprocessing.current_process()`.
ProcessInfo current_process();

/// The process that started the calling one; empty at the root. Python:
/// `multiprocessing.parent_process()`.
std::optional<ProcessInfo> parent_process();

/// The children of this process that have not ended: those that it started with `Process`, servers
/// of its Managers, workers of its pools and executors. Reaps those that have. Python:
/// `multiprocessing.active_children()`.
std::vector<ProcessInfo> active_children();

/// How many processors this process may use, at least 1: its affinity and its cgroup's CPU quota
/// both count. Read anew on each call. Python: `os.process_cpu_count()`, which does not count the
/// quota.
unsigned cpu_count();

}  // namespace procession
