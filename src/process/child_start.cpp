#include <array>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "channel/descriptor_broker.hpp"
#include "heap/block_encoder.hpp"
#include "log/log.hpp"
#include "platform/own_mutex.hpp"
#include "platform/process_group.hpp"
#include "platform/spawn.hpp"
#include "platform/streams.hpp"
#include "process/after_fork.hpp"
#include "process/boot.hpp"
#include "process/captured_address.hpp"
#include "process/child.hpp"
#include "process/children.hpp"
#include "process/end_watch.hpp"
#include "process/fork_server.hpp"
#include "process/lifecycle.hpp"
#include "process/record.hpp"
#include "process/watch_end.hpp"
#include "procession/callable.hpp"
#include "procession/error.hpp"

// From a plan to a running process.
namespace procession::detail {

using namespace process;

namespace {

/// What process group a child that ends with this process has. In the foreground of a terminal the
/// keys of that are for the children too.
OwnGroup group_for_child() {
  switch (platform::own_terminal()) {
    case platform::Terminal::none:
      return OwnGroup::here;
    case platform::Terminal::background:
      return OwnGroup::beside_terminal;
    case platform::Terminal::foreground:
      break;
  }
  return OwnGroup::none;
}

/// Encodes into a block that `record` will hold.
void tell(heap::Offset record, const BootMessage& message) {
  heap::BlockEncoder encoder(256, heap::Region::library);
  encode(encoder, message);
  Record& told = record_at(record);
  told.message_size = encoder.size();
  heap::Block block = encoder.take();
  told.message = block.offset();
  heap::move(block.hold_id(), record);
  static_cast<void>(block.release());
}

}  // namespace

void Child::start() {
  const std::array children{shared_from_this()};
  start_all(children);
}

void Child::start_all(std::span<const std::shared_ptr<Child>> children) {
  std::vector<std::unique_lock<platform::OwnMutex>> guards;
  std::vector<Child*> by_server;
  std::vector<ForkServer::Wanted> wanted;
  std::optional<OwnGroup> group;
  std::exception_ptr failure;
  for (const auto& child : children) {
    guards.emplace_back(child->mutex_);
    try {
      const StartMethod method = child->check_start();
      if (method == StartMethod::thread) {
        child->start_thread();
        child->note_start(method);
        continue;
      }
      child->prepare_process(group);
      if (method == StartMethod::forkserver) {
        by_server.push_back(child.get());
        wanted.push_back({child->record_, child->call_.descriptors});
        continue;
      }
      child->launch_process(method);
      child->note_start(method);
    } catch (...) {
      failure = std::current_exception();
      break;
    }
  }
  const auto started =
      wanted.empty() ? std::vector<ForkServer::Started>{} : ForkServer::instance().start(wanted);
  for (std::size_t i = 0; i < started.size(); ++i) {
    try {
      if (started[i].failure != nullptr) {
        by_server[i]->abandon_process();
        std::rethrow_exception(started[i].failure);
      }
      by_server[i]->finish_process(started[i].pid);
      by_server[i]->note_start(StartMethod::forkserver);
    } catch (...) {
      failure = failure != nullptr ? failure : std::current_exception();
    }
  }
  if (failure != nullptr) {
    std::rethrow_exception(failure);
  }
}

StartMethod Child::check_start() {
  check_open("to start");
  if (stage_ != Stage::created) {
    throw ProcessError(
        "process '" + plan_.name +
        "' was asked to start a second time; a Process starts at most once: make a new one");
  }
  if (inherited()) {
    const heap::Offset call = call_.block.offset();
    static_cast<void>(call_.block.release());
    call_.block = heap::Block::own(heap::hold(call, heap::self()));
    maker_ = heap::self();
  }
  const StartMethod method = plan_.method.value_or(get_start_method());
  if (identity().daemon && !plan_.tied) {
    throw ProcessError("the daemon '" + identity().name + "' was asked to start '" + plan_.name +
                       "', but a daemon may not have children, which would be orphans when it is "
                       "terminated; make the "
                       "outer process no daemon, or use a Pool inside it");
  }
  if (method == StartMethod::fork) {
    require_main();
  }
  const bool isolated = method == StartMethod::forkserver || method == StartMethod::spawn;
  if (isolated) {
    require_init(std::string("a process was to be started by '") + to_string(method) + "'");
    if (call_.captured_address) {
      refuse_captured_address("the target of process '" + plan_.name + "'");
    }
  }
  return method;
}

void Child::note_start(StartMethod method) {
  stage_ = Stage::started;
  if (method != StartMethod::thread) {
    call_ = {};  // the child holds it
  }
  if (log::enabled(LogLevel::info)) {
    log::write(LogLevel::info, "started '" + plan_.name + "' by " + to_string(method) +
                                   ", process " + std::to_string(pid_));
  }
  register_child(shared_from_this());
}

void Child::prepare_process(std::optional<OwnGroup>& group) {
  prepare_exit();
  // Inherited by all, so it is there before the first.
  static_cast<void>(channel::broker_socket());
  // What this process has said comes before what the child will say, and a fork does not say it
  // twice.
  platform::flush_streams();
  record_ = make_record(terminated_at_exit());
  own_group_ = OwnGroup::none;
  if (terminated_at_exit()) {
    group = group ? group : group_for_child();
    own_group_ = *group;
  }
  try {
    const heap::Offset offset = heap::target(record_);
    serial_ = record_at(offset).serial;
    record_kept_ = heap::Block::own(heap::hold(offset, heap::self()));
    // A descriptor number is kept for the sentinel, so that a child that could not be waited for is
    // never made.
    end_ = platform::duplicate(watch_end(), 3);
    tell(offset, boot_message(plan_.name, plan_.id_path, plan_.daemon, terminated_at_exit()));
    // Held by the child too, which may outlive this process.
    static_cast<void>(heap::hold(call_.block.offset(), offset));
    if (plan_.keeps != 0) {
      static_cast<void>(heap::hold(plan_.keeps, offset));
    }
    Record& record = record_at(offset);
    record.call = call_.block.offset();
    record.call_size = call_.size;
    record.passed = call_.descriptors.size();
    record.own_stderr = call_.own_stderr ? 1 : 0;
    record.own_group = own_group_;
    record.request(0);
  } catch (...) {
    abandon_process();
    throw;
  }
}

void Child::launch_process(StartMethod method) {
  const heap::Offset offset = heap::target(record_);
  int pid = 0;
  try {
    pid = method == StartMethod::spawn ? spawn_child(offset, call_.descriptors)
                                       : fork_child(offset, [this] {
                                           disown();
                                           return std::move(call_.descriptors);
                                         });
  } catch (...) {
    abandon_process();
    throw;
  }
  finish_process(pid);
}

void Child::finish_process(int pid) {
  end_.reset();
  try {
    end_ = watch_end(pid);
  } catch (...) {
    // Another thread took the number. A child that nobody can wait for must not run on.
    kill_at_once(pid);
    reap_child(pid, true);
    abandon_process();
    throw;
  }
  pid_ = pid;
}

void Child::abandon_process() noexcept {
  end_.reset();
  record_kept_ = {};
  reap_record(record_, serial_);
  record_ = 0;
}

}  // namespace procession::detail
