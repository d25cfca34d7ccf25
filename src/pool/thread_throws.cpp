#include "pool/thread_throws.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <utility>

#include "platform/own_mutex.hpp"

namespace procession::pool {

namespace {

struct ThrownKept {
  platform::OwnMutex mutex;
  /// By the slot of the task; of an initializer, by the shared block.
  std::map<const void*, ThreadThrows, std::less<>> by_place;
  std::atomic<std::size_t> places{0};  ///< in the map, for those who look whether there is anything
};

/// Made when it is used first, which may be before main(), and never destroyed: threads outlive
/// main().
ThrownKept& thrown_kept() {
  static ThrownKept& all = *new ThrownKept;
  return all;
}

std::uint32_t keep_thrown_at(const void* place, detail::Failure thrown) {
  ThrownKept& kept = thrown_kept();
  const std::lock_guard guard(kept.mutex);
  ThreadThrows& all = kept.by_place[place];
  all.push_back(std::move(thrown));
  kept.places = kept.by_place.size();
  return static_cast<std::uint32_t>(all.size());
}

ThreadThrows take_thrown_at(const void* place) {
  ThrownKept& kept = thrown_kept();
  if (kept.places == 0) {
    return {};
  }
  const std::lock_guard guard(kept.mutex);
  auto found = kept.by_place.extract(place);
  kept.places = kept.by_place.size();
  return found.empty() ? ThreadThrows{} : std::move(found.mapped());
}

}  // namespace

std::uint32_t keep_thrown(const Slot& slot, detail::Failure thrown) {
  return keep_thrown_at(&slot, std::move(thrown));
}

void keep_thrown(const Shared& shared, detail::Failure thrown) {
  keep_thrown_at(&shared, std::move(thrown));
}

ThreadThrows take_thrown(const Slot& slot) { return take_thrown_at(&slot); }
ThreadThrows take_thrown(const Shared& shared) { return take_thrown_at(&shared); }

void forget_thrown(const Shared& shared) noexcept {
  ThrownKept& kept = thrown_kept();
  const std::lock_guard guard(kept.mutex);
  const std::less<> before;
  for (auto at = kept.by_place.lower_bound(static_cast<const void*>(&shared));
       at != kept.by_place.end() && before(at->first, &shared.slots[kSlots]);) {
    at = kept.by_place.erase(at);
  }
  kept.places = kept.by_place.size();
}

void disown_thrown() noexcept { new (&thrown_kept()) ThrownKept; }

}  // namespace procession::pool
