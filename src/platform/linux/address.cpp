#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>

#include "platform/address.hpp"
#include "platform/image.hpp"

namespace procession::platform {
namespace {

constexpr std::uintptr_t kFourGiB = std::uintptr_t{1} << 32;
constexpr std::uintptr_t kEndOfUserSpace = std::uintptr_t{1} << 56;

struct SharedRange {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};  // 0: not in use yet
};

constinit std::array<SharedRange, 16> shared_ranges;
constinit std::atomic<std::size_t> shared_range_count{0};

// Half of the lowest place where something is: an image, the heap, a stack, a mapping. With 47 bits
// of addresses that is around 2^45, beyond most numbers and beyond the sanitizers' shadow memory.
std::uintptr_t find_lowest_address() {
  const auto on_heap = std::make_unique<char>();
  std::uintptr_t lowest = kEndOfUserSpace;
  for (const void* const place :
       {static_cast<const void*>(on_heap.get()), static_cast<const void*>(&on_heap),
        reinterpret_cast<const void*>(&::mincore),
        reinterpret_cast<const void*>(main_image().whole().begin)}) {
    const auto address = reinterpret_cast<std::uintptr_t>(place);
    if (address >= kFourGiB) {
      lowest = std::min(lowest, address);
    }
  }
  return std::max(kFourGiB, lowest / 2);
}

bool in_shared_range(std::uintptr_t value) {
  const std::size_t count =
      std::min(shared_range_count.load(std::memory_order_acquire), shared_ranges.size());
  for (std::size_t i = 0; i != count; ++i) {
    const std::uintptr_t end = shared_ranges[i].end.load(std::memory_order_acquire);
    if (value < end && value >= shared_ranges[i].begin.load(std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

bool is_mapped(std::uintptr_t value) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  unsigned char resident = 0;
  // Fails with ENOMEM where nothing is mapped. Where the call itself is forbidden, better a closure
  // refused than a child that crashes.
  return ::mincore(reinterpret_cast<void*>(value & ~(page - 1)), 1, &resident) == 0 ||
         errno != ENOMEM;
}

}  // namespace

bool is_private_address(std::uintptr_t value) {
  static const std::uintptr_t lowest = find_lowest_address();
  if (value < lowest || value >= kEndOfUserSpace || in_shared_range(value)) {
    return false;
  }
  const int saved = errno;
  const bool mapped = is_mapped(value);
  errno = saved;
  return mapped;
}

void declare_shared_range(const void* begin, std::size_t size) {
  const std::size_t slot = shared_range_count.fetch_add(1);
  if (slot >= shared_ranges.size()) {
    return;
  }
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  shared_ranges[slot].begin.store(address, std::memory_order_relaxed);
  shared_ranges[slot].end.store(address + size, std::memory_order_release);
}

}  // namespace procession::platform
