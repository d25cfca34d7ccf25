#include "procession/init.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "channel/descriptor_broker.hpp"
#include "channel/ordered_close.hpp"
#include "heap/heap.hpp"
#include "platform/copy_check.hpp"
#include "platform/environment.hpp"
#include "platform/exit_handler.hpp"
#include "platform/memory.hpp"
#include "platform/spawn.hpp"
#include "process/after_fork.hpp"
#include "process/boot.hpp"
#include "process/boot_variable.hpp"
#include "process/fork_server.hpp"
#include "process/identity.hpp"
#include "process/janitor.hpp"
#include "process/lifecycle.hpp"
#include "process/own_thread.hpp"
#include "process/record.hpp"
#include "process/uncaught.hpp"
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
constinit std::atomic<bool> initialised{false};
/// The constructors of the static objects of this image that stand before this library in it have
/// run. Where the library is a shared one, it is told sooner, and a fork is merely not refused.
constinit bool constructed = false;
struct Constructed {
  Constructed() { constructed = true; }
};
const Constructed told_last;
}  // namespace

void mark_init() noexcept { initialised = true; }

void require_init(const std::string& what) {
  if (!initialised) {
    throw NotInitialized(
        what +
        ", which executes this program anew, but main() has not called init() yet; add this "
        "line as the first statement of main():\n    procession::init();\nAn object at "
        "namespace scope that starts processes, such as a Pool, is made before main() has "
        "begun: make it in main(), after init(), for example in a std::optional.");
  }
}

void require_main() {
  if (!initialised && !constructed) {
    throw NotInitialized(
        "a process was to be started by 'fork' before main() has begun, by a constructor of a "
        "static object; start it in main(), whose first statement is to be:\n    "
        "procession::init();\nOnly threads can be started sooner.");
  }
}

void prepare_exit() {
  static std::once_flag once;
  std::call_once(once, [] {
    install_fork_handlers();
    channel::set_closing_thread(
        [](std::function<void()> run) { start_own_thread(std::move(run), Records::here); });
    platform::know_process();
    survive_uncaught_ends();
    platform::add_exit_handler([](int code) noexcept {
      if (!platform::is_known_process()) {
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

namespace {

/// What this process was started for; asked for once.
std::optional<Boot> boot;
bool boot_known = false;

/// Takes the place in the tree that this process was started for.
void adopt_tree() {
  if (boot_known) {
    return;
  }
  boot_known = true;
  boot = take_boot_variable();
  if (!boot) {
    return;
  }
  try {
    heap::adopt(kBootHeap);
  } catch (const std::exception& failure) {
    refuse_boot_variable(failure.what());
  }
  if (boot->role == BootRole::janitor) {
    return;
  }
  channel::adopt_broker(kBootBroker);
  if (!become_process(boot->claim)) {
    platform::exit_now(0);  // it comes too late
  }
}

}  // namespace

}  // namespace process

void heap::adopt_before_main() {
  using namespace process;
  if (initialised || boot_known || !platform::find_environment("PROCESSION_BOOT")) {
    return;
  }
  adopt_tree();
  if (boot->role == BootRole::janitor) {
    heap::set_self(heap::root());
  }
}

void init() {
  using namespace process;
  static std::atomic<bool> called{false};
  if (called.exchange(true)) {
    return;
  }
  adopt_tree();
  mark_init();
  if (!boot) {
    prepare_exit();
    return;
  }
  if (boot->role == BootRole::janitor) {
    serve_as_janitor();
  }
  prepare_exit();
  if (boot->role == BootRole::child) {
    std::vector<platform::Descriptor> passed;
    for (std::size_t i = 0; i != record_at(boot->claim.record).passed; ++i) {
      passed.emplace_back(kBootPassed + static_cast<int>(i));
      platform::close_on_exec(passed.back().get());
    }
    run_child(boot->claim, platform::Descriptor(kBootWatched), std::move(passed));
  }
  // With a record of its own, it is reaped when this process and its parent were killed.
  serve_forks(boot->claim.record, platform::Descriptor(kBootWatched),
              platform::Descriptor(kBootSocket));
}

}  // namespace procession
