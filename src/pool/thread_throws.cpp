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
  std::map<const Slot*, ThreadThrows, std::less<>> by_slot;
  std::atomic<std::size_t> slots{0};  ///< in the map, for those who look whether there is anything
};

/// Made when it is used first, which may be before main(), and never destroyed: threads outlive
/// main().
ThrownKept& thrown_kept() {
  static ThrownKept& all = *new ThrownKept;
  return all;
}

}  // namespace

std::uint32_t keep_thrown(const Slot& slot, detail::Failure thrown) {
  ThrownKept& kept = thrown_kept();
  const std::lock_guard guard(kept.mutex);
  ThreadThrows& all = kept.by_slot[&slot];
  all.push_back(std::move(thrown));
  kept.slots = kept.by_slot.size();
  return static_cast<std::uint32_t>(all.size());
}

ThreadThrows take_thrown(const Slot& slot) {
  ThrownKept& kept = thrown_kept();
  if (kept.slots == 0) {
    return {};
  }
  const std::lock_guard guard(kept.mutex);
  auto found = kept.by_slot.extract(&slot);
  kept.slots = kept.by_slot.size();
  return found.empty() ? ThreadThrows{} : std::move(found.mapped());
}

void forget_thrown(const Shared& shared) noexcept {
  ThrownKept& kept = thrown_kept();
  const std::lock_guard guard(kept.mutex);
  for (auto at = kept.by_slot.lower_bound(&shared.slots[0]);
       at != kept.by_slot.end() && at->first < &shared.slots[kSlots];) {
    at = kept.by_slot.erase(at);
  }
  kept.slots = kept.by_slot.size();
}

void disown_thrown() noexcept { new (&thrown_kept()) ThrownKept; }

}  // namespace procession::pool
