#include "procession/detail/process_core.hpp"

#include <string>
#include <utility>
#include <vector>

#include "heap/block_encoder.hpp"
#include "platform/cpu.hpp"
#include "process/child.hpp"
#include "process/children.hpp"
#include "process/fork_request.hpp"
#include "process/grace_period.hpp"
#include "process/identity.hpp"
#include "procession/error.hpp"
#include "procession/process.hpp"

namespace procession {

unsigned cpu_count() { return platform::usable_cpus(); }

namespace detail {

namespace {

Child& named(const ChildPtr& child) {
  if (child == nullptr) {
    throw ProcessError(
        "this Process was moved from and names no process; use the one it was moved to");
  }
  return *child;
}

platform::Signal signal_of(ChildSignal signal) {
  switch (signal) {
    case ChildSignal::terminate:
      return platform::Signal::terminate;
    case ChildSignal::kill:
      return platform::Signal::kill;
    case ChildSignal::interrupt:
      return platform::Signal::interrupt;
  }
  return platform::Signal::kill;
}

}  // namespace

namespace {

/// Of a call whose process is yet to be started, and can be given descriptors then.
class CallEncoder final : public heap::BlockEncoder {
 public:
  CallEncoder() : BlockEncoder(256) {}

  std::optional<std::size_t> pass_descriptor(int descriptor) override {
    if (descriptors.size() == process::kMostPassed) {
      throw ProcessError("asked to start a process with more than " +
                         std::to_string(process::kMostPassed) +
                         " connections as arguments; send it the others through one of them");
    }
    descriptors.push_back(platform::duplicate(descriptor, 3));
    return descriptors.size() - 1;
  }

  std::vector<platform::Descriptor> descriptors;
};

}  // namespace

struct ProcessBuilder::Body {
  CallEncoder encoder;
};

ProcessBuilder::ProcessBuilder() {
  heap::ensure();
  body_ = std::make_unique<Body>();
}

ProcessBuilder::~ProcessBuilder() = default;

Encoder& ProcessBuilder::encoder() { return body_->encoder; }

std::shared_ptr<Child> ProcessBuilder::finish(std::string name, std::optional<bool> daemon,
                                              std::optional<int> start_method) {
  ChildPlan plan;
  plan.id_path = process::next_id_path();
  plan.name = name.empty() ? "Process-" + plan.id_path : std::move(name);
  plan.daemon = daemon.value_or(process::identity().daemon);
  if (start_method) {
    plan.method = checked_method(static_cast<StartMethod>(*start_method));
  }
  EncodedCall call;
  call.captured_address = body_->encoder.noted_address() != nullptr;
  call.size = body_->encoder.size();
  call.block = body_->encoder.take();
  call.descriptors = std::move(body_->encoder.descriptors);
  return Child::make(std::move(plan), std::move(call));
}

void start_child(const ChildPtr& child) { named(child).start(); }
bool join_child(const ChildPtr& child, Timeout timeout) { return named(child).join(timeout); }
void signal_child(const ChildPtr& child, ChildSignal signal) {
  named(child).signal(signal_of(signal));
}
bool child_is_alive(const ChildPtr& child) { return named(child).is_alive(); }
const std::string& child_name(const ChildPtr& child) { return named(child).name(); }
void set_child_name(const ChildPtr& child, std::string name) {
  named(child).set_name(std::move(name));
}
bool child_daemon(const ChildPtr& child) { return named(child).daemon(); }
void set_child_daemon(const ChildPtr& child, bool daemon) { named(child).set_daemon(daemon); }
int child_pid(const ChildPtr& child) { return named(child).pid(); }
std::optional<int> child_exitcode(const ChildPtr& child) { return named(child).exitcode(); }
int child_sentinel(const ChildPtr& child) { return named(child).sentinel(); }

void close_child(const ChildPtr& child) {
  named(child).close();
  process::unregister_child(*child);
}

void end_child(ChildPtr& child) noexcept {
  if (child == nullptr) {
    return;
  }
  try {
    if (child->started_here()) {
      if (child->daemon() && !child->is_thread()) {
        child->signal(platform::Signal::terminate);
        process::GracePeriod grace = process::GracePeriod::after_others(process::kGracePeriod);
        process::join_terminated(std::span(&child, 1), grace);
      }
      child->join({});
      process::unregister_child(*child);
    }
  } catch (...) {
    // A child that this process can neither signal nor join is another's to end.
  }
  child.reset();
}

}  // namespace detail
}  // namespace procession
