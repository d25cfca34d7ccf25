#include <algorithm>
#include <cstring>
#include <utility>

#include "heap/heap.hpp"
#include "procession/detail/pool_core.hpp"

namespace procession::detail {

TaskDraft::TaskDraft(std::size_t expected) : Encoder(inline_, inline_ + kInline) {
  if (expected > kInline) {
    grow(expected);
  }
}

TaskDraft::~TaskDraft() { heap::drop(ticket_); }

void TaskDraft::grow(std::size_t at_least) {
  const std::size_t used = size();
  heap::Block block(std::max(used + at_least, 2 * used));
  std::memcpy(block.data(), begin_, used);
  begin_ = block.data();
  cursor_ = begin_ + used;
  end_ = begin_ + block.size();
  heap::drop(std::exchange(ticket_, block.release()));
}

std::uint64_t TaskDraft::release() {
  if (!attachments_.empty()) {
    if (ticket_ == 0) {
      grow(0);
    }
    attachments_.hand_to(heap::target(ticket_));
  }
  return std::exchange(ticket_, 0);
}

}  // namespace procession::detail
