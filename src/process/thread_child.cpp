#include <system_error>

#include "platform/spawn.hpp"
#include "platform/system_error.hpp"
#include "process/boot.hpp"
#include "process/child.hpp"
#include "process/identity.hpp"
#include "process/lifecycle.hpp"

// The start method `thread`: the same call, decoded from the same bytes, on a thread of this
// process.
namespace procession::detail {

using namespace process;

void Child::start_thread() {
  prepare_exit();
  end_ = platform::make_event();
  pid_ = platform::process_id();
  try {
    thread_.emplace(
        [this, child = shared_from_this(),
         told = boot_message(plan_.name, plan_.id_path, plan_.daemon, plan_.tied).identity()] {
          const ThreadIdentity scope(told);
          thread_exitcode_ =
              process::run_call({call_.block.data(), call_.size}, told.name, call_.descriptors);
          platform::raise_event(end_.get());
        });
  } catch (const std::system_error& failure) {
    end_.reset();
    pid_ = 0;
    platform::throw_system_error("start '" + plan_.name + "' as a thread", failure.code().value());
  }
}

}  // namespace procession::detail
