#include "process/after_fork.hpp"

#include <atomic>
#include <exception>
#include <string>

#include "heap/local_hold.hpp"
#include "log/log.hpp"
#include "platform/copy_check.hpp"
#include "platform/fork_handlers.hpp"
#include "platform/fork_mark.hpp"
#include "platform/own_mutex.hpp"
#include "platform/report.hpp"
#include "platform/signals.hpp"
#include "platform/spawn.hpp"
#include "platform/streams.hpp"
#include "process/boot.hpp"
#include "process/children.hpp"
#include "process/failure.hpp"
#include "process/fork_server.hpp"
#include "process/lifecycle.hpp"
#include "process/log_delivery.hpp"
#include "process/own_thread.hpp"
#include "process/record.hpp"
#include "process/uncaught.hpp"
#include "process/watch_end.hpp"

namespace procession::process {

namespace {

using Handler = void (*)();
Handler services_prepare = nullptr;
Handler services_parent = nullptr;
Handler services_child = nullptr;

std::atomic<int> own_threads{0};
/// The record of the child that this thread forks; 0: none, or the program's own.
thread_local heap::Offset child_record = 0;
/// Of a child that the program forks by itself: its record, of which 0 is that there is no heap to
/// share, and the mark by which others see that it may still come.
Record::Claim plain_claim;
platform::ForkMark plain_mark;
/// In the child: the watch of the parent, for `run_child`.
platform::Descriptor inherited_watch;

void call(Handler handler) {
  if (handler != nullptr) {
    handler();
  }
}

/// Makes the record of a child that the program forks by itself; none where there is no heap, or
/// no room in it. A fork that fails leaves it behind, for others to reap.
void prepare_plain_fork() noexcept {
  plain_claim = {};
  try {
    if (!heap::exists()) return;
    plain_mark = platform::make_fork_mark();
    plain_claim.record = heap::target(make_record(plain_mark.name));
    plain_claim.serial = record_at(plain_claim.record).serial;
  } catch (const std::exception&) {
    plain_mark = {};
  }
}

/// In the child.
void begin_plain_fork() noexcept {
  // What it makes from now on is not its parent's.
  inherited_watch.reset();
  if (plain_claim.record != 0 && !become_process(plain_claim)) {
    try {
      platform::write_to_stderr(
          "procession: process " + std::to_string(platform::process_id()) +
          " was forked beside handles of shared objects, and closed what it inherited before it "
          "had run this library's handler of fork(); so the others took it for dead, and gave back "
          "what it was to hold. It ends, with exit status " +
          std::to_string(platform::kCopyExit) + ": close descriptors after fork() has returned\n");
    } catch (...) {
      // Without memory, without a word.
    }
    platform::exit_now(platform::kCopyExit);
  }
  plain_mark.held.reset();
}

void before_fork() {
  call(services_prepare);
  ForkServer::instance().lock_for_fork();
  lock_children_for_fork();
  // Made and given its holds before the child exists: it might come too late, when the parent has
  // dropped its own.
  if (child_record == 0) {
    prepare_plain_fork();
  }
  detail::LocalHolds::before_fork(child_record != 0 ? child_record : plain_claim.record);
}

void after_in_parent() {
  plain_mark.held.reset();
  detail::LocalHolds::after_fork_in_parent();
  unlock_children_for_fork();
  ForkServer::instance().unlock_for_fork();
  call(services_parent);
}

void after_in_child() {
  platform::know_process();
  platform::forget_waiting();
  log::forget_thread();
  forget_own_thread();
  disown_deliveries();
  own_threads = 0;
  forget_end();
  disown_children();
  ForkServer::instance().forget();
  inherited_watch = take_watch_end();
  unlock_children_for_fork();
  ForkServer::instance().unlock_for_fork();
  call(services_child);
  if (child_record == 0) {
    begin_plain_fork();
  }
  detail::LocalHolds::after_fork_in_child();
  platform::forget_own_locks();
}

void warn_about_threads() {
  static std::atomic<bool> warned{false};
  const int others = static_cast<int>(platform::thread_count()) - 1 - own_threads;
  if (others > 0 && !warned.exchange(true)) {
    platform::write_to_stderr("procession: warning: process " +
                              std::to_string(platform::process_id()) + " forks beside " +
                              std::to_string(others) +
                              " other thread(s); the child may wait for ever for a lock that one "
                              "of them held. Use the start method forkserver, or fork before "
                              "starting threads.\n");
  }
}

}  // namespace

void set_services_fork(Handler prepare, Handler parent, Handler child) {
  services_prepare = prepare;
  services_parent = parent;
  services_child = child;
}

void add_own_threads(int count) noexcept { own_threads += count; }

void install_fork_handlers() {
  platform::add_fork_handlers(before_fork, after_in_parent, after_in_child);
}

namespace {

/// Whatever happens, the child does not go on as its parent would.
[[noreturn]] void run_forked(
    const Record::Claim& claim,
    const std::function<std::vector<platform::Descriptor>()>& in_child) noexcept {
  try {
    run_child(claim, std::move(inherited_watch), in_child());
  } catch (...) {
    report_failure("Process", "started by fork", std::current_exception());
  }
  platform::exit_now(1);
}

}  // namespace

int fork_child(heap::Offset record,
               const std::function<std::vector<platform::Descriptor>()>& in_child) {
  warn_about_threads();
  child_record = record;
  const Record::Claim claim{record, record_at(record).serial};
  int pid = -1;
  try {
    pid = platform::fork_process();
  } catch (...) {
    child_record = 0;
    throw;
  }
  child_record = 0;
  if (pid == 0) {
    // A thread of the library's own, which hears of no signal, may have forked: the supervisor, or
    // who runs callbacks.
    platform::restore_signals();
    // Another thread may have printed since all was written.
    platform::forget_unwritten();
    run_forked(claim, in_child);
  }
  return pid;
}

}  // namespace procession::process
