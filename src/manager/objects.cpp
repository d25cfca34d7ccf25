#include "manager/objects.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "manager/blocks.hpp"
#include "procession/error.hpp"

namespace procession::manager {

Objects::~Objects() {
  for (const auto& [block, entry] : entries_)
    heap::drop(entry.hold_id);
}

detail::Handle Objects::add(detail::ServedPtr object) {
  heap::Block block(sizeof(ObjectBlock), true);
  auto& shared = *heap::at<ObjectBlock>(block.offset());
  shared.header = {kObjectKind, object->fingerprint()};
  shared.manager = manager_;
  static_cast<void>(heap::hold(manager_, block.offset()));
  const heap::Offset place = block.offset();
  heap::Block mine = heap::Block::own(heap::hold(place, heap::self()));
  detail::Handle handle = detail::Handle::own(block.release());
  const std::unique_lock guard(mutex_);
  order_.push_back(place);
  entries_.emplace(place, Entry{mine.hold_id(), std::move(object)});
  static_cast<void>(mine.release());
  return handle;
}

detail::ServedPtr Objects::find(heap::Offset block) const {
  const std::shared_lock guard(mutex_);
  const auto found = entries_.find(block);
  if (found == entries_.end()) {
    throw DecodeError(
        "asked to call an object that this manager does not have; the bytes of the request are "
        "damaged");
  }
  return found->second.object;
}

std::size_t Objects::size() const {
  const std::shared_lock guard(mutex_);
  return entries_.size();
}

bool Objects::sweep(std::size_t most) {
  std::vector<Entry> gone;  // destroyed without the lock: their destructors may take long
  {
    const std::unique_lock guard(mutex_);
    for (std::size_t i = std::min(most, order_.size()); i != 0 && !order_.empty(); --i) {
      next_ = next_ < order_.size() ? next_ : 0;
      const heap::Offset block = order_[next_];
      // A new hold is made only by who has one: once there is none but this, there never will be.
      if (heap::holds_on(block) != 1) {
        ++next_;
        continue;
      }
      const auto found = entries_.find(block);
      gone.push_back(std::move(found->second));
      entries_.erase(found);
      order_[next_] = order_.back();
      order_.pop_back();
    }
  }
  for (Entry& entry : gone) {
    entry.object.reset();
    heap::drop(entry.hold_id);
  }
  return !gone.empty();
}

void Objects::sweep_all() {
  while (sweep(size())) {
  }
}

}  // namespace procession::manager
