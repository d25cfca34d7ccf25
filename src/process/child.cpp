#include "process/child.hpp"

#include <stdexcept>
#include <utility>

#include "log/log.hpp"
#include "platform/own_mutex.hpp"
#include "process/children.hpp"
#include "process/identity.hpp"
#include "process/record.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using namespace process;

namespace {

/// What `check_started` says of a signal.
const char* asked_for(platform::Signal signal) {
  switch (signal) {
    case platform::Signal::terminate:
      return "to terminate";
    case platform::Signal::kill:
      return "to be killed";
    case platform::Signal::interrupt:
      return "to be interrupted";
  }
  return "to end";
}

}  // namespace

Child::Child(ChildPlan plan, EncodedCall call) : plan_(std::move(plan)), call_(std::move(call)) {}

Child::~Child() {
  if (inherited()) {
    static_cast<void>(call_.block.release());
  }
}

std::shared_ptr<Child> Child::make(ChildPlan plan, EncodedCall call) {
  return std::make_shared<Child>(std::move(plan), std::move(call));
}

bool Child::look() {
  if (exitcode_) {
    return true;
  }
  if (thread_) {
    if (platform::wait_readable(end_.get(), platform::Deadline(Duration::zero()))) {
      thread_->join();
      settle(thread_exitcode_);
    }
    return exitcode_.has_value();
  }
  const platform::Reaped reaped = reap_child(pid_, false);
  if (reaped.result != platform::ReapResult::running) {
    settle(code_of(reaped));
  }
  return exitcode_.has_value();
}

int Child::code_of(const platform::Reaped& reaped) {
  if (reaped.result == platform::ReapResult::ended) {
    return reaped.exitcode;
  }
  const std::optional<int> told = record_at(record_kept_.offset()).exitcode();
  exit_unknown_ = !told;
  return told.value_or(255);
}

void Child::settle(int exitcode) {
  exitcode_ = exitcode;
  call_ = {};
  if (log::enabled(LogLevel::info)) {
    log::write(LogLevel::info, "'" + plan_.name + "' ended " +
                                   (exit_unknown_ ? "with an exit code that is not known"
                                                  : "with exit code " + std::to_string(exitcode)));
  }
  call_ = {};
  if (record_ == 0) {
    tidy();
    return;
  }
  record_kept_ = {};
  reap_record(record_, serial_);
  record_ = 0;
  if (exitcode != 0) {
    reap_orphans();
  } else {
    tidy();
  }
}

bool Child::join(Timeout timeout) {
  const platform::Deadline deadline(timeout);
  int end = -1;
  {
    const std::lock_guard guard(mutex_);
    check_started("to join");
    if (thread_ && thread_->get_id() == std::this_thread::get_id()) {
      throw ProcessError("'" + plan_.name + "' was asked to join itself, which would never end");
    }
    if (look()) {
      return true;
    }
    ++waiting_;
    end = end_.get();
  }
  // Any number of threads wait here; the first to come back takes the exit code for all.
  const bool ended = platform::wait_readable(end, deadline);
  const std::lock_guard guard(mutex_);
  if (--waiting_ == 0 && stage_ == Stage::closed) {
    end_.reset();
  }
  if (ended && !look()) {
    settle(code_of(reap_child(pid_, true)));
  }
  return ended;
}

void Child::signal(platform::Signal signal) {
  const std::lock_guard guard(mutex_);
  check_started(asked_for(signal));
  if (thread_) {
    throw ProcessError("'" + plan_.name +
                       "' runs by the start method 'thread' and cannot be ended from outside: "
                       "let its target return, or start it by another method");
  }
  if (look()) {
    return;
  }
  switch (signal) {
    case platform::Signal::kill:
      kill_at_once(pid_);
      break;
    case platform::Signal::terminate:
      terminate_process();
      break;
    case platform::Signal::interrupt:
      interrupt_process();
  }
}

void Child::close() {
  const std::lock_guard guard(mutex_);
  if (stage_ == Stage::started && !foreign_ && !look()) {
    throw ProcessError(
        "process '" + plan_.name +
        "' was asked to close while it runs; join it, or terminate and join it, first");
  }
  stage_ = Stage::closed;
  if (waiting_ == 0) {
    end_.reset();
  }
  if (inherited()) {
    static_cast<void>(call_.block.release());
  }
  call_ = {};
}

bool Child::is_alive() {
  const std::lock_guard guard(mutex_);
  check_open("whether it is alive");
  return stage_ == Stage::started && !foreign_ && !look();
}

void Child::set_name(std::string name) {
  const std::lock_guard guard(mutex_);
  check_open("to take another name");
  if (stage_ != Stage::created) {
    throw ProcessError("process '" + plan_.name +
                       "' has started under its name; name it before start()");
  }
  plan_.name = std::move(name);
}

void Child::set_daemon(bool daemon) {
  const std::lock_guard guard(mutex_);
  check_open("to become a daemon or none");
  if (stage_ != Stage::created) {
    throw ProcessError("process '" + plan_.name + "' has started; make it a daemon before start()");
  }
  plan_.daemon = daemon;
}

int Child::pid() const {
  const std::lock_guard guard(mutex_);
  check_open("for its pid");
  return pid_;
}

std::optional<int> Child::exitcode() {
  const std::lock_guard guard(mutex_);
  check_open("for its exitcode");
  if (stage_ == Stage::started && !foreign_) {
    look();
  }
  return exitcode_;
}

bool Child::exit_is_unknown() {
  const std::lock_guard guard(mutex_);
  return exit_unknown_;
}

int Child::sentinel() const {
  const std::lock_guard guard(mutex_);
  check_started("for its sentinel");
  return end_.get();
}

bool Child::started_here() const {
  const std::lock_guard guard(mutex_);
  return stage_ == Stage::started && !foreign_;
}

void Child::disown() noexcept {
  foreign_ = true;
  stage_ = Stage::started;  // the one that is just being started, in its own child
  end_.reset();
  new (&mutex_) platform::OwnMutex;  // a thread of the parent's may hold it, or the call of start()
  waiting_ = 0;
  // The holds are the parent's, who has its own copy of this object to give them back.
  static_cast<void>(call_.block.release());
  static_cast<void>(record_kept_.release());
  record_ = 0;
  if (thread_) {
    // The thread did not come along; its handle must not be joined.
    new (&thread_) std::optional<std::thread>;
  }
}

void Child::check_open(const char* what) const {
  if (stage_ == Stage::closed) {
    throw ProcessError("process '" + plan_.name + "' was closed, and then asked " + what +
                       "; ask before close()");
  }
}

void Child::check_started(const char* what) const {
  check_open(what);
  if (stage_ != Stage::started) {
    throw ProcessError("process '" + plan_.name + "' was asked " + what +
                       " before it was started; call start()");
  }
  if (foreign_) {
    throw ProcessError("'" + plan_.name + "' was asked " + what + " in '" + identity().name +
                       "', which did not start it; only the process that started a child can");
  }
}

}  // namespace procession::detail
