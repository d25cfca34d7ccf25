#include "platform/process_group.hpp"
#include "process/child.hpp"
#include "process/record.hpp"

// A child and the programs that it started end together. One that ends with this process has a
// process group of its own, where no terminal forbids it: then its whole group ends, whatever ended
// the child. Of another one, the descendants end that it has when this process ends it.
namespace procession::detail {

using namespace process;

platform::Reaped Child::reap_child(int pid, bool wait) {
  bool rest_killed = own_group_ == OwnGroup::none;
  if (!rest_killed) {
    if (wait) {
      platform::wait_for_end(pid);
    }
    // Before its status is taken: until then no other process or group gets its number.
    if (platform::has_ended(pid)) {
      platform::kill_rest_of_group(pid, false);
      rest_killed = true;
    }
  }
  const platform::Reaped reaped = wait ? platform::reap_waiting(pid) : platform::reap(pid);
  if (reaped.result == platform::ReapResult::running) {
    return reaped;
  }
  if (!rest_killed) {
    // Somebody else was faster, or a sandbox forbids waitid().
    platform::kill_rest_of_group(pid, true);
  }
  if (reaped.result == platform::ReapResult::unknown || reaped.exitcode < 0) {
    // One that came to an orderly end, though asked to end, has seen to its programs itself.
    platform::signal_marked(started_, platform::Signal::kill);
  }
  started_.clear();
  return reaped;
}

void Child::kill_at_once(int pid) {
  if (own_group_ != OwnGroup::none) {
    platform::signal_group(pid, platform::Signal::kill);
    return;
  }
  platform::kill_with_descendants(pid, is_of_tree);
}

void Child::interrupt_process() {
  if (own_group_ != OwnGroup::none) {
    platform::signal_group(pid_, platform::Signal::interrupt);
    return;
  }
  const auto descendants = platform::find_descendants(pid_, is_of_tree);
  platform::send_signal(end_.get(), pid_, platform::Signal::interrupt);
  platform::signal_marked(descendants, platform::Signal::interrupt);
}

void Child::terminate_process() {
  if (own_group_ != OwnGroup::none) {
    platform::signal_group(pid_, platform::Signal::terminate);
    return;
  }
  for (const platform::ProcessMark& mark : platform::find_descendants(pid_, is_of_tree)) {
    started_.push_back(mark);
  }
  platform::send_signal(end_.get(), pid_, platform::Signal::terminate);
  platform::signal_marked(started_, platform::Signal::terminate);
}

}  // namespace procession::detail
