#pragma once

#include <cstdint>

// Offsets in messages: of a function in its image, of a shared object in the heap. Others may write
// into the memory of a message at any time, and of a small number that was overwritten in part too
// much would still be a small number. So it is multiplied by a constant, modulo 2^64: whatever part
// of the product is changed, a number comes out that is no offset at all, but for one in 2^30.
namespace procession::detail {

inline constexpr std::uint64_t kMix = 0x9e37'79b9'7f4a'7c15;

/// x with x * kMix == 1, by Newton's method: each step doubles the bits that are right.
constexpr std::uint64_t inverse_of_mix() {
  std::uint64_t inverse = kMix;
  for (int i = 0; i < 6; ++i)
    inverse *= 2 - kMix * inverse;
  return inverse;
}
static_assert(kMix * inverse_of_mix() == 1);

constexpr std::uint64_t mix_offset(std::uint64_t offset) { return offset * kMix; }
constexpr std::uint64_t unmix_offset(std::uint64_t mixed) { return mixed * inverse_of_mix(); }

}  // namespace procession::detail
