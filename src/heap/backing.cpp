#include "heap/backing.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "heap/mapping.hpp"
#include "platform/memory.hpp"

namespace procession::heap {
namespace {

/// So much may be committed until it is asked again what the system has left (asking takes as long
/// as touching half a mebibyte). Each process counts for itself.
constexpr std::uint64_t kUnchecked = std::uint64_t{64} << 20;
constinit std::atomic<std::uint64_t> unchecked{0};

bool admit(std::uint64_t bytes) noexcept {
  std::uint64_t left = unchecked.load(std::memory_order_relaxed);
  while (left >= bytes) {
    if (unchecked.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) return true;
  }
  const std::uint64_t available = platform::available_memory();
  if (available < bytes + bytes / 32) return false;
  unchecked.store(std::min(kUnchecked, (available - bytes) / 8), std::memory_order_relaxed);
  return true;
}

struct Range {
  Offset from;
  Offset to;
};

/// The whole pages inside a payload.
Range inside(Offset block, std::uint64_t bytes) noexcept {
  const std::uint64_t page = platform::page_size();
  const Offset from = (block + page - 1) / page * page;
  const Offset to = (block + bytes) / page * page;
  return {from, std::max(from, to)};
}

}  // namespace

bool back(Header& heap, Offset from, Offset to) noexcept {
  if (from >= to) return true;
  if (!admit(to - from)) return false;
  if (const auto file = mapped_file()) {
    return platform::commit(*file, place(heap, 0), from, to - from);
  }
  const std::uint64_t page = platform::page_size();
  const Offset begin = from / page * page;
  const Offset end = (to + page - 1) / page * page;
  platform::allow_access(place(heap, begin), end - begin);
  return platform::commit_mapped(place(heap, begin), end - begin);
}

bool back_payload(Header& heap, Offset block, std::uint64_t bytes) noexcept {
  const Range range = inside(block, bytes);
  return back(heap, range.from, range.to);
}

void punch_payload(Header& heap, Offset block, std::uint64_t bytes) noexcept {
  const Range range = inside(block, bytes);
  if (range.from == range.to) return;
  if (const auto file = mapped_file()) {
    platform::punch_hole(*file, range.from, range.to - range.from);
    return;
  }
  if (region_of(heap, block) == Region::users) internal::reach();
  platform::punch_mapped(place(heap, range.from), range.to - range.from);
}

void zero_payload(Header& heap, Offset block, std::uint64_t bytes, bool inside_is_zero) noexcept {
  const Offset end = block + bytes;
  const Range range = inside(block, bytes);
  if (region_of(heap, block) == Region::users) internal::reach();
  if (!inside_is_zero || range.from == range.to) {
    std::memset(place(heap, block), 0, end - block);
  } else {
    std::memset(place(heap, block), 0, range.from - block);
    std::memset(place(heap, range.to), 0, end - range.to);
  }
}

}  // namespace procession::heap
