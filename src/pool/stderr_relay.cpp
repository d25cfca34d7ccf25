#include "pool/stderr_relay.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "platform/own_mutex.hpp"
#include "platform/pipe.hpp"
#include "platform/poller.hpp"
#include "platform/report.hpp"
#include "platform/wait.hpp"
#include "process/own_thread.hpp"

namespace procession::pool {

class WorkerStderr {
 public:
  WorkerStderr(platform::Descriptor out, heap::Stepped<std::uint32_t>& taken)
      : out_(std::move(out)), taken_(&taken) {
    taken = 0;
  }

  [[nodiscard]] int descriptor() const { return out_.get(); }
  [[nodiscard]] const std::string& last() const { return last_; }

  /// Moves what is there into `text`. False once nobody can write any more.
  bool read(std::string& text) {
    constexpr std::size_t kKept = 1024;
    for (;;) {
      if (taken_ != nullptr) {
        *taken_ = 1;
      }
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
  /// All that was read has been written on.
  void note_written() {
    if (taken_ != nullptr) {
      *taken_ = 0;
    }
  }
  /// The worker's worker slot may be another one's, or gone.
  void leave_worker_slot() { taken_ = nullptr; }

 private:
  static constexpr std::size_t kMostAtATime = 256U << 10U;

  platform::Descriptor out_;
  heap::Stepped<std::uint32_t>* taken_;
  std::string last_;
};

namespace {

constexpr std::chrono::seconds kFlush{2};

struct Relay {
  platform::OwnMutex mutex;
  std::condition_variable_any written;
  std::vector<std::shared_ptr<WorkerStderr>> workers;
  std::string pending;   ///< read, and not yet written
  bool writing = false;  ///< the thread has taken what was pending
  bool stalled = false;  ///< somebody has waited for it in vain, and it has not got on since
  platform::Descriptor nudge;
  /// Of `workers` and `nudge`, by their descriptors. Who adds one need not wake the thread.
  std::optional<platform::Poller> poller;

  // With the mutex held:

  /// Reads all that is there of those workers for which it is true, and lets go those that have
  /// ended.
  template <class Which>
  void read(Which which) {
    std::erase_if(workers, [&](const auto& worker) {
      if (!which(*worker) || worker->read(pending)) {
        return false;
      }
      // A child by fork may have the pipe too, which would then be watched when it is closed here.
      poller->remove(worker->descriptor());
      return true;
    });
    note_written();
  }
  void note_written() {
    if (pending.empty() && !writing) {
      for (const auto& worker : workers) {
        worker->note_written();
      }
    }
  }
  void have_written() const {
    if (!pending.empty()) {
      platform::raise_event(nudge.get());
    }
  }
};

/// Never destroyed: the thread outlives main(). Made when it is used first, which may be before
/// main().
Relay& the_relay() {
  static Relay& one = *new Relay;
  return one;
}

[[noreturn]] void run_relay() {
  for (;;) {
    std::array<std::uint64_t, 64> tags;
    const std::size_t count = the_relay().poller->wait(tags, platform::Deadline(Timeout{}));
    const std::span<const std::uint64_t> ready(tags.data(), count);
    std::unique_lock guard(the_relay().mutex);
    const auto is_ready = [&](int descriptor) {
      return std::find(ready.begin(), ready.end(), static_cast<std::uint64_t>(descriptor)) !=
             ready.end();
    };
    if (is_ready(the_relay().nudge.get())) {
      platform::clear_event(the_relay().nudge.get());
    }
    the_relay().read([&](const WorkerStderr& worker) { return is_ready(worker.descriptor()); });
    while (!the_relay().pending.empty()) {
      const std::string text = std::exchange(the_relay().pending, {});
      the_relay().writing = true;
      guard.unlock();
      platform::write_to_stderr(text);
      guard.lock();
      the_relay().writing = false;
      the_relay().stalled = false;
    }
    the_relay().note_written();
    the_relay().written.notify_all();
  }
}

}  // namespace

std::shared_ptr<WorkerStderr> relay_stderr(platform::Descriptor& for_worker,
                                           heap::Stepped<std::uint32_t>& taken) {
  platform::Pipe pipe = platform::make_pipe();
  auto worker = std::make_shared<WorkerStderr>(std::move(pipe.out), taken);
  const std::lock_guard guard(the_relay().mutex);
  const auto watch = [](int descriptor) {
    the_relay().poller->add(descriptor, static_cast<std::uint64_t>(descriptor));
  };
  if (!the_relay().nudge) {
    the_relay().poller.emplace();
    platform::Descriptor nudge = platform::make_event();
    watch(nudge.get());
    process::start_own_thread(run_relay);
    the_relay().nudge = std::move(nudge);
  }
  the_relay().workers.push_back(worker);
  try {
    watch(worker->descriptor());
  } catch (...) {
    the_relay().workers.pop_back();
    throw;
  }
  for_worker = std::move(pipe.in);
  // The relay has it until the pipe ends; whoever is returned this, only as long as there is a
  // worker slot.
  return {worker.get(), [worker](WorkerStderr* its) {
            const std::lock_guard in_use(the_relay().mutex);
            its->leave_worker_slot();
          }};
}

std::string last_lines(WorkerStderr& worker) {
  const std::lock_guard guard(the_relay().mutex);
  the_relay().read([&](const WorkerStderr& other) { return &other == &worker; });
  the_relay().have_written();
  std::string lines = worker.last();
  while (!lines.empty() && lines.back() == '\n') {
    lines.pop_back();
  }
  return lines;
}

void flush_stderr_relay() {
  std::unique_lock guard(the_relay().mutex);
  if (!the_relay().nudge) {
    return;
  }
  the_relay().read([](const WorkerStderr& /*any*/) { return true; });
  the_relay().have_written();
  if (the_relay().stalled) {
    return;  // pools that end one after another do not wait one after another
  }
  the_relay().stalled = !the_relay().written.wait_for(
      guard, kFlush, [] { return the_relay().pending.empty() && !the_relay().writing; });
}

void disown_stderr_relay() noexcept {
  // The descriptors are closed; the mutex, and those that wait for it, are left where they are.
  the_relay().workers.clear();
  the_relay().nudge.reset();
  the_relay().poller.reset();
  new (&the_relay()) Relay;
}

}  // namespace procession::pool
