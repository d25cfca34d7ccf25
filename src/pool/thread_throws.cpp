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

// Never destroyed: threads outlive main().
ThrownKept& thrown_kept = *new ThrownKept;

}  // namespace

std::uint32_t keep_thrown(const Slot& slot, detail::Failure thrown) {
  const std::lock_guard guard(thrown_kept.mutex);
  ThreadThrows& all = thrown_kept.by_slot[&slot];
  all.push_back(std::move(thrown));
  thrown_kept.slots = thrown_kept.by_slot.size();
  return static_cast<std::uint32_t>(all.size());
}

ThreadThrows take_thrown(const Slot& slot) {
  if (thrown_kept.slots == 0) {
    return {};
  }
  const std::lock_guard guard(thrown_kept.mutex);
  auto found = thrown_kept.by_slot.extract(&slot);
  thrown_kept.slots = thrown_kept.by_slot.size();
  return found.empty() ? ThreadThrows{} : std::move(found.mapped());
}

void forget_thrown(const Shared& shared) noexcept {
  const std::lock_guard guard(thrown_kept.mutex);
  for (auto at = thrown_kept.by_slot.lower_bound(&shared.slots[0]);
       at != thrown_kept.by_slot.end() && at->first < &shared.slots[kSlots];) {
    at = thrown_kept.by_slot.erase(at);
  }
  thrown_kept.slots = thrown_kept.by_slot.size();
}

void disown_thrown() noexcept { new (&thrown_kept) ThrownKept; }

}  // namespace procession::pool
