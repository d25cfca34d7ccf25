#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace procession {

/// How much a record matters; `off`, as a threshold, lets none pass.
enum class LogLevel { debug, info, warning, error, off };

/// Something the library did or met: a process started or ended, a worker was lost.
struct LogRecord {
  LogLevel level = LogLevel::info;  ///< Never `off`.
  std::string process;              ///< Name of the process that wrote it: "MainProcess".
  int pid = 0;                      ///< Its number.
  std::chrono::system_clock::time_point time;  ///< When it was written.
  std::string message;                         ///< One line, without its end.
};

/// Prints the library's records from `level` upwards on the standard error stream, each as one line
/// `[LEVEL/ProcessName] message`; `off` stops that. Without a call, errors are printed: what nobody
/// else would hear of, such as an exception that leaves a callback. The environment variable
/// `PROCESSION_LOG=debug` (or info, warning, error, off) does the same without a change of the
/// program, in its processes too. Any thread may call it at any time; the last call counts. Throws
/// `std::invalid_argument` for a number that is no level. Python: `log_to_stderr(level)`.
void log_to_stderr(LogLevel level = LogLevel::info);

/// Hands this process's records from `level` upwards to `sink` as well; an empty one ends that. It
/// is called by the thread that did what is recorded, or by one of the library's own, by several at
/// once if need be. It may call the library, for it never runs with a lock of it: start processes,
/// wait for tasks, set another sink; what it writes itself meanwhile, by starting a process, say,
/// is not handed to it. `Pool::join` and the end of the program wait for it. An exception that
/// leaves it is dropped. A sink that was replaced may still be running in another thread, and is
/// kept until the process ends. Throws `std::invalid_argument` for a number that is no level.
/// Python: `get_logger().addHandler(...)`.
void set_log_sink(std::function<void(const LogRecord&)> sink, LogLevel level = LogLevel::debug);

/// Shows how far a job is: give it to `MapOptions::progress`, or call it with the number of parts
/// done. On a terminal it redraws one line with a bar, at most 15 times a second; elsewhere it
/// prints a line per 10 %. The last state is always shown. The label is UTF-8, whatever the locale;
/// control characters in it become spaces, and its end is left out where the terminal is narrow:
/// the percentage is there on any of more than a few columns.
///
///     pool.map(f, inputs, {.progress = mp::ProgressBar("pictures")});
///
/// Copies are handles of one bar. Any thread of the process that made it may call it.
/// Python: none; the role of `tqdm`.
class ProgressBar {
 public:
  /// Time is counted from here. Draws nothing yet. `descriptor` is the open file to draw on: 2 is
  /// the standard error stream. Throws only for lack of memory.
  explicit ProgressBar(std::string label = {}, int descriptor = 2);

  /// Tells the bar that `done` of `total` parts are done; `total` 0 is a job without parts, and
  /// done. A call with less than the one before is late, and ignored, unless it begins the next
  /// job: after the end of one, with 0 done, or with another total. Throws only for lack of memory;
  /// what cannot be drawn is dropped.
  void operator()(std::size_t done, std::size_t total) const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace procession
