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

/// The workers of a pool, one for each worker slot: started, replaced, ended. Thread-safe.
class WorkerSet {
 public:
  /// `pool_number` is what the supervisor knows the pool by.
  WorkerSet(std::size_t worker_slots, StartMethod method, std::uint32_t pool_number)
      : pool_number_(pool_number),
        workers_(worker_slots),
        stderrs_(worker_slots),
        over_memory_(worker_slots),
        method_(method) {}

  [[nodiscard]] std::size_t size() const { return workers_.size(); }

  /// Starts a worker in each empty worker slot. Throws as `Process::start` does, after as many
  /// worker slots as could be had were filled. Does nothing once `stop_filling` was called.
  void fill(heap::Offset pool);
  /// No worker is started from now on.
  void stop_filling();

  /// How the worker of this worker slot ended, once it has; empty while it runs and where there is
  /// none. The worker slot is then empty.
  std::optional<Ended> take_ended(std::uint32_t worker_slot);

  [[nodiscard]] std::vector<int> pids();
  /// Whether a worker slot waits for a worker.
  bool wants_workers();

  /// SIGKILL to the worker of this worker slot, if it has one; not of a set of workers of threads.
  /// `over_memory` says why, where that is the reason. False where this process may not.
  bool kill(std::uint32_t worker_slot, std::string over_memory = {});
  /// The worker of this worker slot; 0: there is none.
  int pid(std::uint32_t worker_slot);

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
  std::shared_ptr<detail::Child> make_worker(heap::Offset pool, std::uint32_t worker_slot);

  const std::uint32_t pool_number_;
  platform::OwnMutex mutex_;
  std::vector<std::shared_ptr<detail::Child>> workers_;
  std::vector<std::shared_ptr<WorkerStderr>> stderrs_;  ///< by worker slot; null for a thread
  std::vector<std::string> over_memory_;  ///< by worker slot: why its worker was killed
  const StartMethod method_;
  bool filling_ = true;
  unsigned started_ = 0;
};

}  // namespace procession::pool
