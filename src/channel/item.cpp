#include <algorithm>
#include <cstring>

#include "channel/queue_object.hpp"
#include "heap/heap.hpp"
#include "procession/detail/queue_core.hpp"

namespace procession::detail {

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
