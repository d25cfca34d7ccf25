#include "procession/detail/attachments.hpp"

#include "heap/heap.hpp"

namespace procession::detail {

void Attachments::add(std::uint64_t block) {
  tickets_.reserve(tickets_.size() + 1);
  tickets_.push_back(heap::hold(block, heap::self()));
}

void Attachments::hand_to(std::uint64_t owner) {
  while (!tickets_.empty()) {
    heap::move(tickets_.back(), owner);
    tickets_.pop_back();
  }
}

void Attachments::drop_all() noexcept {
  for (const heap::Ticket ticket : tickets_)
    heap::drop_own(ticket);
  tickets_.clear();
}

}  // namespace procession::detail
