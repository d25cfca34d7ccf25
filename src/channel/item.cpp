#include <algorithm>
#include <cstring>

#include "channel/queue_object.hpp"
#include "heap/heap.hpp"
#include "procession/detail/queue_core.hpp"

namespace procession::detail {

namespace {

/// Bytes of the record of an item in a block.
constexpr std::size_t kBlockSpan = ItemBatch::span_of(8);

}  // namespace

ReceivedItem::~ReceivedItem() { heap::drop_own(hold_id_); }

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

void ItemBatch::expect_block() {
  if (blocks_.size() == blocks_.capacity()) blocks_.reserve(2 * blocks_.size() + 1);
  static_cast<void>(extend(kBlockSpan));
  size_ -= kBlockSpan;
}

void ItemBatch::add_block(std::uint64_t hold_id, std::size_t size) noexcept {
  std::byte* const record = extend(kBlockSpan);
  channel::store_word(record, kInBlock);
  channel::store_word(record + 8, size);
  blocks_.push_back(hold_id);
  ++count_;
}

std::span<const std::byte> ItemBatch::next_block(std::span<const std::byte>& rest) {
  drop_blocks(read_);
  const std::size_t size = channel::load_word(rest.data() + 8);
  rest = rest.subspan(kBlockSpan);
  return {heap::at(heap::target(blocks_[read_++])), size};
}

void ItemBatch::drop_blocks(std::size_t end) {
  for (; dropped_ != end; ++dropped_)
    heap::drop_own(blocks_[dropped_]);
}

}  // namespace procession::detail
