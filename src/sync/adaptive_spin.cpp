#include "sync/adaptive_spin.hpp"

#include <array>
#include <cstddef>

#include "platform/cpu.hpp"

namespace procession::sync {

namespace {

/// Whether a container gives its processes more than one processor's worth of time. Read once: it
/// takes reading several files.
bool has_time_to_spare() noexcept {
  try {
    static const bool more = platform::quota_cpus().value_or(2) > 1;
    return more;
  } catch (...) {  // no memory
    return true;
  }
}

}  // namespace

bool AdaptiveSpin::has_second_processor() noexcept {
  const bool spare = has_time_to_spare();
  return platform::affinity_cpus() > 1 && spare;
}

AdaptiveSpin& spin_at(const void* place) noexcept {
  constexpr unsigned kBits = 5;
  thread_local constinit std::array<AdaptiveSpin, std::size_t{1} << kBits> spins;
  // The golden ratio spreads neighbours; what lies in one cache line is one place.
  const std::uint64_t line = reinterpret_cast<std::uintptr_t>(place) / 64;
  return spins[line * 0x9e3779b97f4a7c15 >> (64 - kBits)];
}

}  // namespace procession::sync
