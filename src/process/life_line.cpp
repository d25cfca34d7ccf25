#include "process/life_line.hpp"

#include <mutex>

#include "platform/immortal.hpp"
#include "platform/life.hpp"
#include "platform/own_mutex.hpp"

namespace procession::process {

namespace {
constinit platform::OwnMutex life_line_mutex;
constinit platform::Immortal<platform::LifeLine> kept_line;
constinit platform::LifeLine& line = kept_line.value;
}  // namespace

int watched_line() {
  const std::lock_guard guard(life_line_mutex);
  if (!line.held) {
    line = platform::make_life_line();
  }
  return line.watched.get();
}

platform::Descriptor take_life_line() noexcept {
  new (&life_line_mutex) platform::OwnMutex;  // another thread of the parent's may have held it
  line.held.reset();
  return std::move(line.watched);
}

}  // namespace procession::process
