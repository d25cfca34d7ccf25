#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "platform/copy_check.hpp"
#include "platform/deadline.hpp"
#include "platform/futex.hpp"
#include "platform/own_mutex.hpp"
#include "platform/spawn.hpp"
#include "platform/system_error.hpp"
#include "process/failure.hpp"
#include "procession/error.hpp"
#include "procession/threading.hpp"

// Threads that a program starts by itself. (Processes by the start method `thread` are in
// thread_child.cpp.)
namespace procession {

namespace detail {

namespace {

std::atomic<unsigned> numbered{0};  // threads without a name of their own
std::atomic<unsigned> dummies{0};   // threads that were made otherwise
thread_local const ThreadState* of_this_thread = nullptr;

}  // namespace

class ThreadState : public std::enable_shared_from_this<ThreadState> {
 public:
  ThreadState(std::string name, bool daemon, std::unique_ptr<ThreadCall> call)
      : name_(std::move(name)), daemon_(daemon), call_(std::move(call)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool daemon() const { return daemon_; }
  [[nodiscard]] bool is_alive() const {
    return stage_.load(std::memory_order_acquire) == running && here();
  }

  void start() {
    const std::lock_guard guard(mutex_);
    if (stage_ != fresh) {
      throw ProcessError("thread '" + name_ +
                         "' was asked to start a second time; a Thread starts at most once: make a "
                         "new one");
    }
    pid_ = platform::process_id();
    stage_ = running;
    try {
      thread_ = std::thread([self = shared_from_this()] { self->run(); });
    } catch (const std::system_error& failure) {
      stage_ = fresh;
      platform::throw_system_error("start thread '" + name_ + "'", failure.code().value());
    }
  }

  bool join(Timeout timeout) {
    const platform::Deadline deadline(timeout);
    if (stage_ == fresh) {
      throw ProcessError("thread '" + name_ +
                         "' was joined before it was started; call start() first");
    }
    if (of_this_thread == this) {
      throw ProcessError("thread '" + name_ +
                         "' was asked to join itself, which would never end; join it from another "
                         "thread");
    }
    if (!here()) {
      throw ProcessError("thread '" + name_ + "' of process " + std::to_string(pid_) +
                         " was joined in process " + std::to_string(platform::process_id()) +
                         ", a fork of that one, where it does not run");
    }
    while (stage_.load(std::memory_order_acquire) == running) {
      if (deadline.passed()) {
        return false;
      }
      platform::futex_wait(stage_, running, deadline.left());
    }
    const std::lock_guard guard(mutex_);
    if (thread_.joinable()) {
      thread_.join();
    }
    return true;
  }

  /// Nobody names it any more.
  void end() noexcept {
    const std::uint32_t stage = stage_;
    if (stage == fresh) {
      return;
    }
    if (here() && of_this_thread != this && (!daemon_ || stage == ended)) {
      join({});
      return;
    }
    if (here()) {
      thread_.detach();
    } else {
      // In a fork: there is no such thread here, to be joined or detached.
      alignas(std::thread) std::byte never_destroyed[sizeof(std::thread)];
      new (never_destroyed) std::thread(std::move(thread_));
    }
  }

 private:
  enum Stage : std::uint32_t { fresh, running, ended };

  [[nodiscard]] bool here() const { return pid_ == platform::process_id(); }

  void run() {
    of_this_thread = this;
    const platform::CopyCheck check;
    try {
      call_->run();
      check.end_copies("the target of a thread");
    } catch (...) {
      check.end_copies("the target of a thread");
      process::report_failure("Exception in thread", name_, std::current_exception());
    }
    call_.reset();
    of_this_thread = nullptr;
    stage_.store(ended, std::memory_order_release);
    platform::futex_wake_all(stage_);
  }

  const std::string name_;
  const bool daemon_;
  std::unique_ptr<ThreadCall> call_;
  std::atomic<std::uint32_t> stage_{fresh};
  int pid_ = 0;  ///< of the process that started it
  platform::OwnMutex mutex_;
  std::thread thread_;
};

namespace {

ThreadState& named(const ThreadPtr& thread) {
  if (thread == nullptr) {
    throw ProcessError(
        "this Thread was moved from and names no thread; use the one it was moved to");
  }
  return *thread;
}

}  // namespace

ThreadPtr make_thread(std::string name, std::optional<bool> daemon,
                      std::unique_ptr<ThreadCall> call) {
  if (name.empty()) {
    name = "Thread-" + std::to_string(++numbered);
  }
  const bool inherited = of_this_thread != nullptr && of_this_thread->daemon();
  return std::make_shared<ThreadState>(std::move(name), daemon.value_or(inherited),
                                       std::move(call));
}

void start_thread(const ThreadPtr& thread) { named(thread).start(); }
bool join_thread(const ThreadPtr& thread, Timeout timeout) { return named(thread).join(timeout); }
bool thread_is_alive(const ThreadPtr& thread) { return named(thread).is_alive(); }
const std::string& thread_name(const ThreadPtr& thread) { return named(thread).name(); }
bool thread_daemon(const ThreadPtr& thread) { return named(thread).daemon(); }

void end_thread(ThreadPtr& thread) noexcept {
  if (thread != nullptr) {
    thread->end();
    thread.reset();
  }
}

}  // namespace detail

ThreadInfo current_thread() {
  const int id = platform::thread_id();
  if (const detail::ThreadState* const own = detail::of_this_thread) {
    return {own->name(), id, own->daemon()};
  }
  if (id == platform::process_id()) {
    return {"MainThread", id, false};
  }
  thread_local const unsigned number = ++detail::dummies;
  return {"Dummy-" + std::to_string(number), id, true};
}

}  // namespace procession
