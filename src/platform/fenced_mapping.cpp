#include "platform/fenced_mapping.hpp"

#include <algorithm>
#include <utility>

#include "platform/memory.hpp"

namespace procession::platform {

FencedMapping::FencedMapping(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept {
  constexpr std::uint64_t kShareOfAll = 1024;
  const std::uint64_t page = page_size();
  const std::uint64_t whole = (size + page - 1) / page * page;
  if (whole < size || whole > ~std::uint64_t{0} / 2) return;
  fence_ = std::min(kFence, address_space_left() / kShareOfAll) / page * page;
  for (fence_ = std::max(fence_, page);; fence_ = std::max(fence_ / 2 / page * page, page)) {
    all_ = whole + 2 * fence_;
    base_ = reserve_addresses(all_);
    if (base_ != nullptr || fence_ == page) break;
  }
  if (base_ == nullptr || map_shared_at(first(), descriptor, offset, size, true)) return;
  unmap(std::exchange(base_, nullptr), all_);
}

FencedMapping::FencedMapping(FencedMapping&& other) noexcept
    : fence_(other.fence_), all_(other.all_), base_(std::exchange(other.base_, nullptr)) {}

FencedMapping& FencedMapping::operator=(FencedMapping&& other) noexcept {
  std::swap(fence_, other.fence_);
  std::swap(all_, other.all_);
  std::swap(base_, other.base_);
  return *this;
}

FencedMapping::~FencedMapping() {
  if (base_ != nullptr) unmap(base_, all_);
}

}  // namespace procession::platform
