#include "process/identity.hpp"

#include <atomic>

#include "platform/spawn.hpp"
#include "procession/process.hpp"

namespace procession {

ProcessInfo current_process() {
  const process::Identity& self = process::identity();
  return {self.name, platform::process_id(), self.daemon};
}

std::optional<ProcessInfo> parent_process() {
  const process::Identity& self = process::identity();
  if (!self.has_parent) {
    return std::nullopt;
  }
  return ProcessInfo{self.parent_name, self.parent_pid, self.parent_daemon};
}

namespace process {

namespace {

Identity& of_process() {
  // Never destroyed: exit handlers ask for it.
  static Identity& own = *new Identity;
  return own;
}

std::atomic<unsigned> children_of_process{0};
thread_local const Identity* of_thread = nullptr;
thread_local unsigned* children_of_thread = nullptr;

}  // namespace

const Identity& identity() { return of_thread != nullptr ? *of_thread : of_process(); }

void set_identity(Identity identity) {
  of_process() = std::move(identity);
  of_thread = nullptr;
  children_of_process = 0;
}

ThreadIdentity::ThreadIdentity(Identity identity)
    : identity_(std::move(identity)), outer_(of_thread), outer_children_(children_of_thread) {
  of_thread = &identity_;
  children_of_thread = &children_;
}

ThreadIdentity::~ThreadIdentity() {
  of_thread = outer_;
  children_of_thread = outer_children_;
}

std::string next_id_path() {
  const unsigned number =
      children_of_thread != nullptr ? ++*children_of_thread : ++children_of_process;
  const std::string& own = identity().id_path;
  return (own.empty() ? "" : own + ":") + std::to_string(number);
}

}  // namespace process
}  // namespace procession
