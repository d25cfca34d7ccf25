#include "process/after_fork.hpp"

#include <atomic>
#include <cstdio>

#include "platform/fork_handlers.hpp"
#include "platform/spawn.hpp"
#include "process/boot.hpp"
#include "process/fork_server.hpp"
#include "process/life_line.hpp"
#include "process/ready.hpp"
#include "process/record.hpp"
#include "process/registry.hpp"

namespace procession::process {

namespace {

using Handler = void (*)();
Handler services_prepare = nullptr;
Handler services_parent = nullptr;
Handler services_child = nullptr;

std::atomic<int> own_threads{0};
thread_local bool forking_child = false;
/// In the child: the parent's life line, for `run_child`.
platform::Descriptor inherited_line;

void call(Handler handler) {
  if (handler != nullptr) {
    handler();
  }
}

void before_fork() {
  call(services_prepare);
  ForkServer::instance().lock_for_fork();
  lock_registry_for_fork();
}

void after_in_parent() {
  unlock_registry_for_fork();
  ForkServer::instance().unlock_for_fork();
  call(services_parent);
}

void after_in_child() {
  own_threads = 0;
  disown_children();
  ForkServer::instance().forget();
  inherited_line = take_life_line();
  unlock_registry_for_fork();
  ForkServer::instance().unlock_for_fork();
  call(services_child);
  if (!forking_child) {
    // The program's own fork: what it makes from now on is not its parent's.
    inherited_line.reset();
    become_unlisted_process();
  }
}

void warn_about_threads() {
  static std::atomic<bool> warned{false};
  const int others = static_cast<int>(platform::thread_count()) - 1 - own_threads;
  if (others > 0 && !warned.exchange(true)) {
    std::fprintf(stderr,
                 "procession: warning: process %d forks beside %d other thread(s); the child may "
                 "wait for ever for a "
                 "lock that one of them held. Use the start method forkserver, or fork before "
                 "starting threads.\n",
                 platform::process_id(), others);
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

int fork_child(heap::Offset record, const std::function<void()>& in_child) {
  warn_about_threads();
  forking_child = true;
  int pid = -1;
  try {
    pid = platform::fork_process();
  } catch (...) {
    forking_child = false;
    throw;
  }
  forking_child = false;
  if (pid == 0) {
    in_child();
    run_child(record, 0, std::move(inherited_line));
  }
  return pid;
}

}  // namespace procession::process
