#include <mutex>

#include "process/boot.hpp"
#include "process/fork_server.hpp"
#include "process/ready.hpp"
#include "process/registry.hpp"

namespace procession::process {

namespace {

/// How long a terminated child may take to end before it is killed.
constexpr std::chrono::seconds kGrace{5};

void (*services_end)() = nullptr;

void end_all(const std::vector<std::shared_ptr<detail::Child>>& children) {
  for (const auto& child : children) {
    if (child->terminated_at_exit() && !child->is_thread()) {
      child->signal(platform::Signal::terminate);
    }
  }
  for (const auto& child : children) {
    if (child->terminated_at_exit() && !child->is_thread() && !child->join(kGrace)) {
      child->signal(platform::Signal::kill);
      child->join({});
    }
  }
  for (const auto& child : children) {
    if (!child->terminated_at_exit()) {
      child->join({});
    }
  }
}

}  // namespace

void set_services_end(void (*end)()) { services_end = end; }

void end_children() noexcept {
  try {
    if (services_end != nullptr) {
      services_end();
    }
    end_all(living_children());
  } catch (...) {
    // A child that its owner closes at this very moment is its owner's to end.
  }
  ForkServer::instance().stop();
}

}  // namespace procession::process
