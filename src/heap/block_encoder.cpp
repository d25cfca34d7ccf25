#include "heap/block_encoder.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "procession/error.hpp"

namespace procession::heap {

namespace {
constexpr std::size_t kSmallest = 192;
}

BlockEncoder::BlockEncoder(std::size_t expected, Region region) : region_(region) {
  if (expected != 0) enlarge(expected);
}

void BlockEncoder::grow(std::size_t at_least) {
  const std::size_t used = size();
  const std::size_t room = static_cast<std::size_t>(end_ - begin_);
  if (at_least > std::numeric_limits<std::size_t>::max() / 4 - used) {
    throw OutOfMemory("cannot encode a value of more than " + std::to_string(at_least) +
                      " bytes: no machine has as much memory");
  }
  enlarge(std::max({used + at_least, room * 2, kSmallest}));
}

void BlockEncoder::enlarge(std::size_t room) {
  Block larger(room, false, region_);
  const std::size_t used = size();
  if (block_) std::memcpy(larger.data(), block_.data(), used);
  block_ = std::move(larger);
  begin_ = block_.data();
  cursor_ = begin_ + used;
  end_ = block_.data() + block_.size();
}

Block BlockEncoder::take() {
  if (!block_) enlarge(kSmallest);
  attachments_.hand_to(block_.offset());
  begin_ = cursor_ = end_ = nullptr;
  rewind();
  return std::exchange(block_, Block());
}

Block BlockEncoder::take_for_keeps() {
  if (region_ != Region::library) {
    region_ = Region::library;
    enlarge(std::max(size(), kSmallest));
  }
  return take();
}

}  // namespace procession::heap
