#include "procession/detail/attachments.hpp"

#include "heap/heap.hpp"

namespace procession::detail {

void Attachments::add(std::uint64_t block) {
  hold_ids_.reserve(hold_ids_.size() + 1);
  hold_ids_.push_back(heap::hold(block, heap::self()));
}

void Attachments::hand_to(std::uint64_t owner) {
  while (!hold_ids_.empty()) {
    heap::move(hold_ids_.back(), owner);
    hold_ids_.pop_back();
  }
}

void Attachments::drop_all() noexcept {
  for (const heap::HoldId hold_id : hold_ids_)
    heap::drop_own(hold_id);
  hold_ids_.clear();
}

}  // namespace procession::detail
