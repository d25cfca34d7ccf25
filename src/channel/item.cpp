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
  const std::uint64_t word = channel::record_word(channel::Record::inside, item.size());
  const std::size_t begin = bytes_.size();
  if (bytes_.capacity() - begin < channel::span_of(word)) {
    bytes_.reserve(std::max<std::size_t>(4096, 2 * bytes_.capacity()));
  }
  bytes_.resize(begin + channel::span_of(word));
  channel::store_word(bytes_.data() + begin, word);
  std::memcpy(bytes_.data() + begin + 8, item.data(), item.size());
  ++count_;
}

std::span<const std::byte> ItemBatch::next(std::span<const std::byte>& rest) {
  const std::uint64_t word = channel::load_word(rest.data());
  const std::span<const std::byte> item = rest.subspan(8, channel::size_of(word));
  rest = rest.subspan(channel::span_of(word));
  return item;
}

}  // namespace procession::detail
