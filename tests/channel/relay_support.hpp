#pragma once

#include <cstddef>
#include <cstdio>
#include <random>
#include <vector>

#include "channel/relay_window.hpp"
#include "channel/support.hpp"
#include "heap/support.hpp"
#include "support/kill_step.hpp"

namespace channel_test {

using Bytes = std::vector<std::byte>;

inline Bytes noise(std::size_t size, std::size_t seed) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::byte>((i + seed) * 0x9e3779b97f4a7c15 >> 56);
  return bytes;
}

inline constexpr std::size_t kItemSize =
    procession::channel::kRelayLeast + procession::channel::kRelayWindow / 2;

/// Around what matters: nothing of it is a multiple of anything.
inline std::vector<std::size_t> sizes() {
  return {procession::channel::kRelayLeast - 1, procession::channel::kRelayLeast,
          procession::channel::kRelayLeast + 1, 5 * procession::channel::kRelayWindow,
          7 * procession::channel::kRelayWindow + 12'345};
}

#ifndef NDEBUG

/// Kills at steps from the first to the last, of which it leaves out some, other ones each time.
/// `round(step)` is false when the process got to its end.
template <class Round>
void at_steps(const Round& round) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  settle_in();
  round(std::size_t{0});
  const auto before = procession::heap::audit();
  std::size_t step = 1;
  while (round(step) && !testing::Test::HasFailure())
    step += 1 + random() % (procession::kSanitized ? 40 : 12);
  EXPECT_GT(step, 100U);
  // What the round without a kill left may have gone only now.
  const auto after = procession::heap::audit();
  EXPECT_LE(after.blocks, before.blocks);
  EXPECT_LE(after.holds, before.holds);
}

#endif

}  // namespace channel_test
