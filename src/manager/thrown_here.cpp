#include "manager/thrown_here.hpp"

#include <map>
#include <mutex>
#include <utility>

#include "platform/fork_handlers.hpp"
#include "platform/own_mutex.hpp"

namespace procession::manager {

namespace {

struct ThrownHere {
  platform::OwnMutex mutex;
  std::map<std::uint64_t, std::exception_ptr> by_number;
  std::uint64_t last = 0;
};

/// Never destroyed: threads outlive main().
ThrownHere& thrown_here() {
  static ThrownHere& all = [&]() -> ThrownHere& {
    auto& made = *new ThrownHere;
    platform::add_fork_handlers([] { thrown_here().mutex.lock(); },
                                [] { thrown_here().mutex.unlock(); },
                                [] { thrown_here().mutex.unlock(); });
    return made;
  }();
  return all;
}

}  // namespace

std::uint64_t keep_thrown_here(std::exception_ptr thrown) {
  ThrownHere& all = thrown_here();
  const std::lock_guard guard(all.mutex);
  all.by_number.emplace(++all.last, std::move(thrown));
  return all.last;
}

std::exception_ptr take_thrown_here(std::uint64_t number) noexcept {
  ThrownHere& all = thrown_here();
  const std::lock_guard guard(all.mutex);
  auto found = all.by_number.extract(number);
  return found.empty() ? nullptr : std::move(found.mapped());
}

}  // namespace procession::manager
