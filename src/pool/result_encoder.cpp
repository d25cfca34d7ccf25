#include "pool/result_encoder.hpp"

#include <algorithm>
#include <cstring>

namespace procession::pool {

void ResultEncoder::grow(std::size_t at_least) {
  const std::size_t used = size();
  const std::size_t expected =
      slot_.items_size;  // results are often as large as what they are made from
  heap::Block block = heap::Block::for_users(
      std::max({used + at_least, 2 * used, std::min<std::size_t>(expected, 64U << 20U)}));
  std::memcpy(block.data(), begin_, used);
  // Held anew rather than handed on: until the move, the old block is what counts.
  for (const heap::Offset attached : attached_) {
    static_cast<void>(heap::hold(attached, block.offset()));
  }
  const heap::HoldId old = slot_.result;
  // The slot never names a block that is not the pool's. A worker killed before the old one is
  // dropped leaves that to the end of the pool.
  heap::move(block.hold_id(), pool_, &slot_.result, block.hold_id());
  begin_ = block.data();
  cursor_ = begin_ + used;
  end_ = begin_ + block.size();
  static_cast<void>(block.release());
  heap::drop(old);
}

void ResultEncoder::attach(std::uint64_t block) {
  if (slot_.result == 0) {
    grow(1);
  }
  attached_.reserve(attached_.size() + 1);
  static_cast<void>(heap::hold(block, heap::target(slot_.result)));
  attached_.push_back(block);
}

}  // namespace procession::pool
