#include "process/end_watch.hpp"

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "platform/system_error.hpp"
#include "platform/wait.hpp"
#include "process/own_thread.hpp"

namespace procession::process {

namespace {

platform::Descriptor watch_by_thread(int pid) {
  platform::Descriptor event = platform::make_event();
  // The thread has a copy, because the sentinel may be closed first.
  const auto copy = std::make_shared<platform::Descriptor>(platform::duplicate(event.get(), 3));
  try {
    start_own_thread([copy, pid] {
      platform::wait_for_end(pid);
      platform::raise_event(copy->get());
    });
  } catch (const std::system_error& failure) {
    platform::throw_system_error(
        "start a thread that waits for a child (this system denies pidfd_open)",
        failure.code().value());
  }
  return event;
}

}  // namespace

platform::Descriptor watch_end(int pid) {
  std::optional<platform::Descriptor> process = platform::open_process(pid);
  if (!process) {
    return watch_by_thread(pid);
  }
  if (!*process) {
    // It has ended and somebody else took the status.
    *process = platform::make_event();
    platform::raise_event(process->get());
  }
  return std::move(*process);
}

}  // namespace procession::process
