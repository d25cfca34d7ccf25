#pragma once

#include <bit>

#include "pool/layout.hpp"

// The sets of parked and of spinning workers.
namespace procession::pool {

inline void insert(WorkerBits& set, std::uint32_t worker) {
  set.words[worker / 64].fetch_or(std::uint64_t{1} << worker % 64);
}

/// Whether it was in the set.
inline bool erase(WorkerBits& set, std::uint32_t worker) {
  const std::uint64_t bit = std::uint64_t{1} << worker % 64;
  return (set.words[worker / 64].fetch_and(~bit) & bit) != 0;
}

inline bool contains(const WorkerBits& set, std::uint32_t worker) {
  return (set.words[worker / 64].load() >> worker % 64 & 1) != 0;
}

/// Takes any worker out of the set; `worker_slots` when it is empty.
inline std::uint32_t take_any(WorkerBits& set, std::uint32_t worker_slots) {
  for (std::uint32_t word = 0; word * 64 < worker_slots; ++word) {
    std::uint64_t bits = set.words[word].load();
    while (bits != 0) {
      const auto worker = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
      if (erase(set, worker)) {
        return worker;
      }
      bits = set.words[word].load();
    }
  }
  return worker_slots;
}

inline std::uint32_t count(const WorkerBits& set, std::uint32_t worker_slots) {
  int bits = 0;
  for (std::uint32_t word = 0; word * 64 < worker_slots; ++word) {
    bits += std::popcount(set.words[word].load());
  }
  return static_cast<std::uint32_t>(bits);
}

}  // namespace procession::pool
