#include "procession/detail/payload_builder.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "heap/heap.hpp"
#include "procession/error.hpp"

namespace procession::detail {

PayloadBuilder::PayloadBuilder(std::span<std::byte> in_place, std::size_t expected)
    : Encoder(in_place.data(), in_place.data() + in_place.size()) {
  if (expected > in_place.size()) {
    grow(expected);
  }
}

PayloadBuilder::~PayloadBuilder() { heap::drop_own(hold_id_); }

void PayloadBuilder::grow(std::size_t at_least) {
  const std::size_t used = size();
  if (at_least > std::numeric_limits<std::size_t>::max() / 4 - used) {
    throw OutOfMemory("cannot encode a value of more than " + std::to_string(at_least) +
                      " bytes: no machine has as much memory");
  }
  heap::Block block = heap::Block::for_users(std::max(used + at_least, 2 * used));
  std::memcpy(block.data(), begin_, used);
  begin_ = block.data();
  cursor_ = begin_ + used;
  end_ = begin_ + block.size();
  heap::drop_own(std::exchange(hold_id_, block.release()));
}

std::uint64_t PayloadBuilder::release() {
  if (!attachments_.empty()) {
    if (hold_id_ == 0) {
      grow(0);
    }
    attachments_.hand_to(heap::target(hold_id_));
    heap::note_link();
  }
  return std::exchange(hold_id_, 0);
}

}  // namespace procession::detail
