#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "heap/heap.hpp"
#include "platform/own_mutex.hpp"
#include "pool/stderr_relay.hpp"
#include "procession/context.hpp"

namespace procession::detail {
class Child;
}

namespace procession::process {
class GracePeriod;
}

namespace procession::pool {

/// How a worker ended.
struct Ended {
  int pid = 0;
  int exitcode = 0;         ///< or WorkerLost::kUnknownExit
  std::string over_memory;  ///< why it was killed, when it was for that
  std::string last_lines;   ///< that it wrote to stderr, of one that did not come to a good end
};

/// "exit code N", for a sentence.
std::string exit_text(int exitcode);

/// The workers of a pool, one for each seat: started, replaced, ended. Thread-safe.
class Crew {
 public:
  /// `pool_number` is what the supervisor knows the pool by.
  Crew(std::size_t seats, StartMethod method, std::uint32_t pool_number)
      : pool_number_(pool_number),
        workers_(seats),
        stderrs_(seats),
        over_memory_(seats),
        method_(method) {}

  [[nodiscard]] std::size_t size() const { return workers_.size(); }

  /// Starts a worker in each empty seat. Throws as `Process::start` does, after as many seats as
  /// could be had were filled. Does nothing once `stop_filling` was called.
  void fill(heap::Offset pool);
  /// No worker is started from now on.
  void stop_filling();

  /// How the worker of this seat ended, once it has; empty while it runs and where there is none.
  /// The seat is then empty.
  std::optional<Ended> take_ended(std::uint32_t seat);

  [[nodiscard]] std::vector<int> pids();
  /// Whether a seat waits for a worker.
  bool wants_workers();

  /// SIGKILL to the worker of this seat, if it has one; not of a crew of threads. `over_memory`
  /// says why, where that is the reason. False where this process may not.
  bool kill(std::uint32_t seat, std::string over_memory = {});
  /// The worker of this seat; 0: there is none.
  int pid(std::uint32_t seat);

  /// SIGTERM to all; no worker is started from now on.
  void terminate() noexcept;
  /// SIGKILL to those that have not ended when the grace is over, which is one for all; waits for
  /// the end of all.
  void end(process::GracePeriod& grace) noexcept;
  /// Waits for the end of all.
  void join();
  /// In the child of a fork: the workers are the parent's.
  void disown() noexcept;

 private:
  std::vector<std::shared_ptr<detail::Child>> living();
  /// The same, of whose end the supervisor is not told any more.
  std::vector<std::shared_ptr<detail::Child>> unwatched();
  std::shared_ptr<detail::Child> hire(heap::Offset pool, std::uint32_t seat);

  const std::uint32_t pool_number_;
  platform::OwnMutex mutex_;
  std::vector<std::shared_ptr<detail::Child>> workers_;
  std::vector<std::shared_ptr<WorkerStderr>> stderrs_;  ///< by seat; null for a thread
  std::vector<std::string> over_memory_;                ///< by seat: why its worker was killed
  const StartMethod method_;
  bool filling_ = true;
  unsigned started_ = 0;
};

}  // namespace procession::pool
