#include <mutex>

#include "process/boot.hpp"
#include "process/fork_server.hpp"
#include "process/grace.hpp"
#include "process/log_delivery.hpp"
#include "process/ready.hpp"
#include "process/registry.hpp"
#include "process/uncaught.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {

void (*services_end)() = nullptr;

/// One that its owner closes at this very moment is its owner's to end, and the others are ended.
template <class Action>
void attempt(Action action) {
  try {
    action();
  } catch (const ProcessError&) {
  }
}

void end_all(const std::vector<std::shared_ptr<detail::Child>>& children) {
  const auto is_terminated = [](const auto& child) {
    return child->terminated_at_exit() && !child->is_thread();
  };
  for (const auto& child : children) {
    if (is_terminated(child)) {
      attempt([&] { child->signal(platform::Signal::terminate); });
    }
  }
  for (const auto& child : children) {
    if (is_terminated(child)) {
      attempt([&] { join_terminated(*child); });
    }
  }
  for (const auto& child : children) {
    if (!child->terminated_at_exit()) {
      attempt([&] { child->join({}); });
    }
  }
}

}  // namespace

void set_services_end(void (*end)()) { services_end = end; }

void end_children() noexcept {
  note_end();
  try {
    if (services_end != nullptr) {
      services_end();
    }
    end_all(living_children());
  } catch (...) {
    // Without memory, say. The fork server is stopped all the same.
  }
  ForkServer::stop();
  finish_deliveries();
}

}  // namespace procession::process
