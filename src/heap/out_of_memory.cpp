#include "heap/out_of_memory.hpp"

#include <algorithm>
#include <string>

#include "heap/transaction.hpp"
#include "platform/memory.hpp"
#include "procession/error.hpp"

namespace procession::heap {
namespace {

struct Usage {
  std::uint64_t used = 0;
  std::uint64_t largest_free = 0;  // or never used
};

Usage measure(Header& heap, Region region) {
  const Guard guard(heap);
  const RegionState& state = state_of(heap, region);
  const Offset end = end_of_blocks(heap, region);
  Usage usage;
  usage.largest_free = load(state.end) - load(state.frontier);
  for (Offset block = load(state.first); block < end; block = next_block(heap, block)) {
    const std::uint64_t bytes = bytes_of(heap, block);
    if (state_of(block_at(heap, block)) == State::free) {
      usage.largest_free = std::max(usage.largest_free, bytes);
    } else {
      usage.used += bytes + gap_of(region);
    }
  }
  return usage;
}

/// See wanted_reserve().
bool made_by_file_size_limit(Header& heap) noexcept {
  return platform::file_size_limit() / 10 * 4 <= load(heap.reserve) + platform::page_size();
}

}  // namespace

void throw_out_of_memory(Header& heap, Region region, std::uint64_t bytes, bool reserve_is_full) {
  const Usage usage = measure(heap, region);
  std::string text = "cannot allocate " + std::to_string(bytes) +
                     " bytes in the shared heap, which has " + std::to_string(usage.used) +
                     " of its " + std::to_string(load(heap.reserve)) + " bytes in use";
  if (reserve_is_full) {
    text += " and " + std::to_string(usage.largest_free) +
            " in its largest free piece; give objects back, or make the heap larger " +
            (made_by_file_size_limit(heap)
                 ? "by raising RLIMIT_FSIZE ('ulimit -f'), which leaves it no more"
                 : "with the environment variable PROCESSION_HEAP (such as PROCESSION_HEAP=64G)");
  } else {
    text += ": the system or the control group of this process has only " +
            std::to_string(platform::available_memory()) +
            " bytes of memory available; free some, or raise the group's limit";
  }
  throw OutOfMemory(text);
}

}  // namespace procession::heap
