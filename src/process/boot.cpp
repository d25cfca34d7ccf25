#include "process/boot.hpp"

#include <exception>

#include "channel/ordered_close.hpp"
#include "heap/block_encoder.hpp"
#include "log/log.hpp"
#include "platform/copy_check.hpp"
#include "platform/exit_handler.hpp"
#include "platform/parent_watch.hpp"
#include "platform/process_group.hpp"
#include "platform/report.hpp"
#include "platform/spawn.hpp"
#include "process/children.hpp"
#include "process/failure.hpp"
#include "process/record.hpp"
#include "procession/callable.hpp"
#include "procession/codec.hpp"
#include "procession/context.hpp"

namespace procession::process {

Identity BootMessage::identity() const {
  return {name, id_path, daemon, true, parent_name, parent_pid, parent_daemon};
}

BootMessage boot_message(std::string name, std::string id_path, bool daemon, bool tied) {
  const Identity& self = process::identity();
  return {std::move(name),
          std::move(id_path),
          daemon,
          tied,
          self.name,
          platform::process_id(),
          self.daemon,
          static_cast<int>(get_start_method()),
          static_cast<int>(log::stderr_level())};
}

namespace {

/// The child that this process is, or was before the program forked by itself.
int own_child = 0;

/// std::exit() in a child comes here once it has called what the child itself has registered, and
/// before what was there before that: handlers and static objects of the parent, for a child by
/// fork.
void leave_child(int code) noexcept {
  if (platform::process_id() != own_child) {
    return;
  }
  end_children();
  channel::finish_connections();
  record_at(heap::self()).end(code & 0xff);
  platform::exit_flushed(code);
}

/// The same of std::quick_exit(), which writes no streams out and ends nothing in order: so what
/// the child has started ends as after a SIGKILL.
void leave_child_quickly(int code) noexcept {
  if (platform::process_id() != own_child) return;
  record_at(heap::self()).end(code & 0xff);
  platform::exit_now(code);
}

}  // namespace

int run_call(std::span<const std::byte> call, const std::string& name,
             std::span<platform::Descriptor> passed) {
  std::vector<int> numbers;
  numbers.reserve(passed.size());
  for (platform::Descriptor& descriptor : passed) {
    numbers.push_back(descriptor.release());
  }
  int code = 0;
  const platform::CopyCheck check;
  try {
    Decoder decoder(call);
    decoder.set_passed(numbers);
    detail::run_encoded_call(decoder);
    check.end_copies("the target of a process");
  } catch (...) {
    check.end_copies("the target of a process");
    report_failure("Process", name, std::current_exception());
    code = 1;
  }
  for (const int left : numbers) {
    platform::Descriptor(left).reset();
  }
  return code;
}

void run_child(const Record::Claim& claim, platform::Descriptor watched,
               std::vector<platform::Descriptor>&& passed, FromServer from_server) {
  Record& record = record_at(claim.record);
  if (!become_process(claim)) {
    platform::exit_now(0);
  }
  from_server.until_taken.reset();
  if (record.own_group != OwnGroup::none) {
    platform::lead_process_group(record.own_group == OwnGroup::beside_terminal);
  }
  int code = 1;
  std::string name;
  try {
    if (record.own_stderr != 0 && !passed.empty()) {
      platform::replace(platform::kStandardError, passed.back().get());
      passed.pop_back();
    }
    Decoder decoder({heap::at(record.message), record.message_size});
    const auto message = decode<BootMessage>(decoder);
    name = message.name;
    set_identity(message.identity());
    log::begin_process(name, static_cast<LogLevel>(message.log_level));
    set_start_method(static_cast<StartMethod>(message.default_method), true);
    if (message.tied) {
      platform::Descriptor& watch = from_server.own_watch;
      if (!watch) {
        watch = platform::open_own(watched.get());
      }
      platform::die_with(watch, record.own_group != OwnGroup::none);
      // The kernel, and nobody before it, is to close it.
      static_cast<void>(watch.release());
    }
    from_server.own_watch.reset();
    watched.reset();
    own_child = platform::process_id();
    platform::add_exit_handler(leave_child);
    platform::add_quick_exit_handler(leave_child_quickly);
    code = run_call({heap::at(record.call), record.call_size}, name, passed);
  } catch (...) {
    report_failure("Process", name, std::current_exception());
  }
  end_children();
  channel::finish_connections();
  record.end(code);
  platform::exit_flushed(code);
}

}  // namespace procession::process
