#include "pool/stderr_relay.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "platform/pipe.hpp"
#include "platform/report.hpp"
#include "platform/signals.hpp"
#include "platform/wait.hpp"
#include "process/after_fork.hpp"

namespace procession::pool {

class WorkerStderr {
 public:
  explicit WorkerStderr(platform::Descriptor out) : out_(std::move(out)) {}

  [[nodiscard]] int descriptor() const { return out_.get(); }
  [[nodiscard]] const std::string& last() const { return last_; }

  /// Moves what is there into `text`. False once nobody can write any more.
  bool read(std::string& text) {
    constexpr std::size_t kKept = 1024;
    for (;;) {
      const std::optional<std::string> got = platform::read_pipe(out_);
      if (!got || got->empty()) {
        return got.has_value();
      }
      text += *got;
      last_ += *got;
      if (last_.size() > kKept) {
        // Whole lines, unless one is as long as all that is kept.
        const std::size_t line = last_.find('\n', last_.size() - kKept);
        const bool whole = line != std::string::npos && line + 1 < last_.size();
        last_.erase(0, whole ? line + 1 : last_.size() - kKept);
      }
      if (text.size() > kMostAtATime) {
        return true;
      }
    }
  }

 private:
  static constexpr std::size_t kMostAtATime = 256U << 10U;

  platform::Descriptor out_;
  std::string last_;
};

namespace {

constexpr std::chrono::seconds kFlush{2};

struct Relay {
  std::mutex mutex;
  std::condition_variable written;
  std::vector<std::shared_ptr<WorkerStderr>> workers;
  std::string pending;   ///< read, and not yet written
  bool writing = false;  ///< the thread has taken what was pending
  platform::Descriptor nudge;

  /// Reads all that is there, with the mutex held.
  void read_all() {
    std::erase_if(workers, [&](const auto& worker) { return !worker->read(pending); });
  }
};

// Never destroyed: the thread outlives main().
Relay& relay = *new Relay;

/// Waits until somebody has written.
void wait_for_text() {
  std::vector<std::shared_ptr<WorkerStderr>> workers;
  {
    const std::lock_guard guard(relay.mutex);
    workers = relay.workers;
  }
  std::vector<int> descriptors{relay.nudge.get()};
  for (const auto& worker : workers) {
    descriptors.push_back(worker->descriptor());
  }
  platform::wait_readable_any(descriptors, platform::Deadline(Timeout{}));
}

[[noreturn]] void run() {
  platform::block_signals();
  for (;;) {
    wait_for_text();
    std::unique_lock guard(relay.mutex);
    platform::clear_event(relay.nudge.get());
    relay.read_all();
    while (!relay.pending.empty()) {
      const std::string text = std::exchange(relay.pending, {});
      relay.writing = true;
      guard.unlock();
      platform::write_to_stderr(text);
      guard.lock();
      relay.writing = false;
    }
    relay.written.notify_all();
  }
}

}  // namespace

std::shared_ptr<WorkerStderr> relay_stderr(platform::Descriptor& for_worker) {
  platform::Pipe pipe = platform::make_pipe();
  auto worker = std::make_shared<WorkerStderr>(std::move(pipe.out));
  const std::lock_guard guard(relay.mutex);
  relay.workers.push_back(worker);
  if (!relay.nudge) {
    relay.nudge = platform::make_event();
    process::add_own_threads(1);
    std::thread(run).detach();
  }
  platform::raise_event(relay.nudge.get());
  for_worker = std::move(pipe.in);
  return worker;
}

std::string last_lines(WorkerStderr& worker) {
  const std::lock_guard guard(relay.mutex);
  worker.read(relay.pending);
  platform::raise_event(relay.nudge.get());
  std::string lines = worker.last();
  while (!lines.empty() && lines.back() == '\n') {
    lines.pop_back();
  }
  return lines;
}

void flush_stderr_relay() {
  std::unique_lock guard(relay.mutex);
  if (!relay.nudge) {
    return;
  }
  relay.read_all();
  platform::raise_event(relay.nudge.get());
  relay.written.wait_for(guard, kFlush, [] { return relay.pending.empty() && !relay.writing; });
}

void disown_stderr_relay() noexcept {
  // The descriptors are closed; the mutex, and those that wait for it, are left where they are.
  relay.workers.clear();
  relay.nudge.reset();
  new (&relay) Relay;
}

}  // namespace procession::pool
