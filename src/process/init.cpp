#include "procession/init.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "channel/depot.hpp"
#include "heap/heap.hpp"
#include "platform/exit_handler.hpp"
#include "platform/memory.hpp"
#include "platform/spawn.hpp"
#include "process/after_fork.hpp"
#include "process/boot.hpp"
#include "process/boot_variable.hpp"
#include "process/copy_check.hpp"
#include "process/fork_server.hpp"
#include "process/identity.hpp"
#include "process/janitor.hpp"
#include "process/ready.hpp"
#include "process/record.hpp"
#include "procession/error.hpp"

namespace procession {

namespace {

[[noreturn]] void refuse_boot_variable(const std::string& found) {
  throw ProcessError(
      "the environment variable PROCESSION_BOOT says that this library started this process, but " +
      found + "; if you set it, unset it");
}

}  // namespace

namespace process {

namespace {
std::atomic<bool> initialised{false};
}  // namespace

void mark_init() noexcept { initialised = true; }

void require_init(const char* method) {
  if (!initialised) {
    throw NotInitialized(std::string("a process was to be started by '") + method +
                         "', which executes this program anew, but main() has not called init(); "
                         "add this line as the "
                         "first statement of main():\n    procession::init();");
  }
}

void prepare_exit() {
  static std::once_flag once;
  std::call_once(once, [] {
    install_fork_handlers();
    know_process();
    platform::add_exit_handler([](int code) {
      if (!is_known_process()) {
        return;  // a copy by a bare clone(): children and record are the original's
      }
      end_children();
      // For a parent that cannot ask the system: see Record::exitcode.
      if (identity().has_parent) {
        record_at(heap::self()).end(code & 0xff);
      }
    });
  });
}

}  // namespace process

void init() {
  using namespace process;
  static std::atomic<bool> called{false};
  if (called.exchange(true)) {
    return;
  }
  const std::optional<Boot> boot = take_boot_variable();
  mark_init();
  if (!boot) {
    prepare_exit();
    return;
  }
  try {
    heap::adopt(kBootHeap);
  } catch (const std::exception& failure) {
    refuse_boot_variable(failure.what());
  }
  if (boot->role == BootRole::janitor) {
    serve_as_janitor();
  }
  prepare_exit();
  channel::adopt_depot(kBootDepot);
  if (boot->role == BootRole::child) {
    if (!Record::stands(boot->claim)) {
      platform::exit_now(0);  // it comes too late
    }
    std::vector<platform::Descriptor> passed;
    for (std::size_t i = 0; i != record_at(boot->claim.record).passed; ++i) {
      passed.emplace_back(kBootPassed + static_cast<int>(i));
      platform::close_on_exec(passed.back().get());
    }
    run_child(boot->claim, platform::Descriptor(kBootWatched), std::move(passed));
  }
  // With a record of its own, it is buried when this process and its parent were killed.
  if (!become_process(boot->claim)) {
    platform::exit_now(0);
  }
  serve_forks(boot->claim.record, platform::Descriptor(kBootWatched),
              platform::Descriptor(kBootSocket));
}

}  // namespace procession
