#include "procession/detail/manager_core.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "heap/block_encoder.hpp"
#include "manager/blocks.hpp"
#include "manager/local_client.hpp"
#include "manager/local_server.hpp"
#include "manager/session.hpp"
#include "manager/wire.hpp"
#include "process/child.hpp"
#include "process/children.hpp"
#include "process/grace_period.hpp"
#include "process/identity.hpp"
#include "process/uncaught.hpp"
#include "procession/callable.hpp"
#include "procession/detail/proxy_core.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using namespace manager;

namespace {

using namespace std::chrono_literals;

/// How long a server may take to end before it is terminated: part of the grace after which it is
/// killed.
constexpr std::chrono::seconds kOwnEnd{2};
static_assert(kOwnEnd < process::kGracePeriod);

Handle make_block(const AcceptQueue& accept_queue, bool on_thread) {
  heap::Block block(sizeof(ManagerBlock), true);
  auto& shared = *heap::at<ManagerBlock>(block.offset());
  heap::BlockEncoder encoder(64, heap::Region::library);
  procession::encode(encoder, accept_queue);
  shared.header = {kManagerKind, 0};
  shared.accept_queue_size = encoder.size();
  shared.on_thread = on_thread ? 1 : 0;
  heap::Block encoded = encoder.take();
  shared.accept_queue = encoded.offset();
  heap::move(encoded.release(), block.offset());
  return Handle::own(block.release());
}

std::shared_ptr<Child> make_child(heap::Offset block, StartMethod method) {
  heap::BlockEncoder encoder(256, heap::Region::library);
  encode_process_call(encoder, &serve_manager, block);
  ChildPlan plan;
  plan.id_path = process::next_id_path();
  plan.name = "Manager-" + plan.id_path;
  plan.tied = true;
  plan.method = method;
  plan.keeps = block;
  EncodedCall call;
  call.size = encoder.size();
  call.block = encoder.take();
  return Child::make(std::move(plan), std::move(call));
}

}  // namespace

class ManagerCore {
 public:
  explicit ManagerCore(StartMethod method)
      : block_(make_block(accept_queue_, method == StartMethod::thread)),
        child_(make_child(heap::offset_of(block_.address()), method)) {
    child_->start();
    while (block_.object<ManagerBlock>("a Manager").server == 0) {
      if (child_->join(1ms)) {
        throw ProcessError("a Manager was made, and its server ended at once, with exit code " +
                           std::to_string(child_->exitcode().value_or(255)) +
                           "; what it wrote to its standard error may say why");
      }
    }
  }
  ManagerCore(const ManagerCore&) = delete;
  ManagerCore& operator=(const ManagerCore&) = delete;
  ~ManagerCore() = default;

  [[nodiscard]] const Handle& block() const {
    if (down_) {
      throw ProcessError("a Manager was asked for something after its shutdown(); make a new one");
    }
    return block_;
  }

  [[nodiscard]] int pid() const { return child_->pid(); }

  void shut_down() {
    const std::lock_guard guard(mutex_);
    if (down_.exchange(true)) return;
    // A copy in the child of a fork is no owner.
    if (!child_->started_here()) return;
    block_.object<ManagerBlock>("a Manager").ending = 1;
    // A method of an object whose server is a thread may ask for it: its caller hears of that.
    if (Session* const asked = Session::answering(block_.address())) asked->close_when_answered();
    process::GracePeriod grace = process::GracePeriod::after_others(process::kGracePeriod);
    accept_queue_.shutdown();
    if (!child_->is_thread() && !child_->join(std::min<Duration>(kOwnEnd, grace.length() / 2))) {
      child_->signal(platform::Signal::terminate);
      process::join_terminated(std::span(&child_, 1), grace);
    }
    child_->join({});
    process::unregister_child(*child_);
    let_go_of_pipes(block_.address());
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> down_{false};
  AcceptQueue accept_queue_;
  Handle block_;
  std::shared_ptr<Child> child_;
};

namespace {

ManagerCore& named(const ManagerPtr& manager) {
  if (manager == nullptr) {
    process::note_told_of_end();  // see named() of a pool
    throw ProcessError(
        "this Manager was moved from, or destroyed, and names no server; use the one it was "
        "moved to, or let it live longer");
  }
  return *manager;
}

}  // namespace

ManagerPtr start_manager(std::optional<StartMethod> method) {
  heap::ensure();
  return std::make_shared<ManagerCore>(checked_method(method.value_or(get_start_method())));
}

const Handle& manager_block(const ManagerPtr& manager) { return named(manager).block(); }

std::size_t count_objects(const ManagerPtr& manager) {
  LocalCall call(named(manager).block(), LocalCall::Control::count);
  return procession::decode<std::uint64_t>(call.make());
}

int manager_pid(const ManagerPtr& manager) { return named(manager).pid(); }
void shut_down_manager(const ManagerPtr& manager) { named(manager).shut_down(); }

void end_manager(ManagerPtr& manager) noexcept {
  if (manager == nullptr) return;
  try {
    manager->shut_down();
  } catch (...) {
    // A server that cannot be signalled or joined has ended.
  }
  manager.reset();
}

}  // namespace procession::detail
