#include "process/end_watch.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "platform/wait.hpp"
#include "process/own_thread.hpp"

namespace procession::process {

namespace {

platform::Descriptor watch_by_thread(int pid) {
  platform::Descriptor event = platform::make_event();
  // The thread has a copy, because the sentinel may be closed first.
  const auto copy = std::make_shared<platform::Descriptor>(platform::duplicate(event.get(), 3));
  start_own_thread([copy, pid] {
    platform::wait_for_end(pid);
    platform::raise_event(copy->get());
  });
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
