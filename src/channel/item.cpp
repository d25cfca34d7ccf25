#include <algorithm>
#include <cstring>

#include "channel/queue_object.hpp"
#include "heap/heap.hpp"
#include "procession/detail/queue_core.hpp"

namespace procession::detail {

ItemEncoder::~ItemEncoder() { heap::drop(ticket_); }

void ItemEncoder::grow(std::size_t at_least) {
  const std::size_t used = size();
  heap::Block block(std::max(used + at_least, 2 * used));
  std::memcpy(block.data(), begin_, used);
  begin_ = block.data();
  cursor_ = begin_ + used;
  end_ = begin_ + block.size();
  heap::drop(std::exchange(ticket_, block.release()));
}

std::uint64_t ItemEncoder::finish() {
  if (ticket_ == 0) {
    grow(0);
  }
  attachments_.hand_to(heap::target(ticket_));
  return std::exchange(ticket_, 0);
}

ReceivedItem::~ReceivedItem() { heap::drop(ticket_); }

void ItemBatch::add(std::span<const std::byte> item) {
  std::byte* const record = extend(span_of(item.size()));
  channel::store_word(record, item.size());
  std::memcpy(record + 8, item.data(), item.size());
  ++count_;
}

void ItemBatch::grow(std::size_t at_least) {
  constexpr std::size_t kSmallest = 4096;
  const std::size_t larger = std::max({kSmallest, 2 * capacity_, size_ + at_least});
  std::unique_ptr<std::byte[]> bytes(new std::byte[larger]);
  if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  bytes_ = std::move(bytes);
  capacity_ = larger;
}

}  // namespace procession::detail
