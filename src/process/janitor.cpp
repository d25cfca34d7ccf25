#include "process/janitor.hpp"

#include <array>

#include "heap/heap.hpp"
#include "platform/background.hpp"
#include "platform/liveness.hpp"
#include "platform/parent_watch.hpp"
#include "platform/spawn.hpp"
#include "platform/wait.hpp"
#include "process/boot_variable.hpp"
#include "process/lifecycle.hpp"
#include "process/names.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {

/// Byte of the heap's file that the janitor has locked while there is one. No record lies there.
constexpr std::uint64_t kJanitor = 0;

bool has_janitor() { return platform::byte_is_locked(heap::descriptor(), kJanitor); }

}  // namespace

void require_janitor() {
  if (has_janitor()) {
    return;
  }
  require_init("the process that removes the names of shared memory was to be started");
  const std::array<int, 1> passed{heap::descriptor()};
  const int pid =
      platform::execute_self(passed, boot_variables(BootRole::janitor), "procession-janitor");
  // It is not this process's child, but the child of one that ends when the janitor is there.
  const platform::Reaped ended = platform::reap_waiting(pid);
  if (!has_janitor()) {
    throw ProcessError(
        "the process that removes the names of shared memory could not be started (exit code " +
        std::to_string(ended.exitcode) + "); without it they would stay behind a SIGKILL");
  }
}

void serve_as_janitor() {
  platform::ParentWatch watch = platform::make_parent_watch();
  if (platform::fork_process() != 0) {
    watch.held.reset();
    platform::wait_readable(watch.watched.get(), platform::Deadline(std::nullopt));
    platform::exit_now(0);
  }
  platform::become_background_process();
  if (!platform::lock_byte(heap::descriptor(), kJanitor)) {
    platform::exit_now(1);
  }
  watch.held.reset();
  watch.watched.reset();
  platform::wait_for_all_locks(heap::descriptor());
  remove_all_names();
  platform::exit_now(0);
}

}  // namespace procession::process
