#include "process/watch_end.hpp"

#include <mutex>

#include "platform/immortal.hpp"
#include "platform/own_mutex.hpp"
#include "platform/parent_watch.hpp"

namespace procession::process {

namespace {
constinit platform::OwnMutex watch_end_mutex;
constinit platform::Immortal<platform::ParentWatch> kept_watch;
constinit platform::ParentWatch& watch = kept_watch.value;
}  // namespace

int watch_end() {
  const std::lock_guard guard(watch_end_mutex);
  if (!watch.held) {
    watch = platform::make_parent_watch();
  }
  return watch.watched.get();
}

platform::Descriptor take_watch_end() noexcept {
  new (&watch_end_mutex) platform::OwnMutex;  // another thread of the parent's may have held it
  watch.held.reset();
  return std::move(watch.watched);
}

}  // namespace procession::process
