#include "process/children.hpp"

#include <algorithm>
#include <mutex>

#include "platform/immortal.hpp"
#include "platform/own_mutex.hpp"
#include "procession/error.hpp"
#include "procession/process.hpp"

namespace procession {

std::vector<ProcessInfo> active_children() {
  std::vector<ProcessInfo> infos;
  for (const auto& child : process::living_children()) {
    infos.push_back({child->name(), child->pid(), child->daemon()});
  }
  return infos;
}

namespace process {

namespace {

// Never destroyed: exit handlers and other threads' last calls come later than static destructors.
constinit platform::Immortal<platform::OwnMutex> kept_mutex;
constinit platform::OwnMutex& children_mutex = kept_mutex.value;
constinit platform::Immortal<std::vector<std::shared_ptr<detail::Child>>> kept_children;
constinit auto& own_children = kept_children.value;

}  // namespace

void register_child(std::shared_ptr<detail::Child> child) {
  const std::lock_guard guard(children_mutex);
  own_children.push_back(std::move(child));
}

void unregister_child(const detail::Child& child) noexcept {
  std::shared_ptr<detail::Child> last;  // released after the mutex
  const std::lock_guard guard(children_mutex);
  const auto found = std::find_if(own_children.begin(), own_children.end(),
                                  [&](const auto& one) { return one.get() == &child; });
  if (found != own_children.end()) {
    last = std::move(*found);
    own_children.erase(found);
  }
}

std::vector<std::shared_ptr<detail::Child>> living_children() {
  std::vector<std::shared_ptr<detail::Child>> living;
  {
    const std::lock_guard guard(children_mutex);
    living = own_children;
  }
  std::erase_if(living, [](const auto& child) {
    bool alive = false;
    try {
      alive = child->is_alive();
    } catch (const ProcessError&) {
      alive = false;  // closed meanwhile
    }
    if (!alive) {
      unregister_child(*child);
    }
    return !alive;
  });
  return living;
}

void lock_children_for_fork() { children_mutex.lock(); }
void unlock_children_for_fork() noexcept { children_mutex.unlock(); }

void disown_children() noexcept {
  for (const auto& child : own_children) {
    child->disown();
  }
  own_children.clear();
}

}  // namespace process
}  // namespace procession
