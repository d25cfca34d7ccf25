// The sizes in which blocks are made, so that one that is given back fits the next who asks.
//
// A size is a number of units of payload (of 64 bytes in the library's region, of 256 in the
// users'): 0 (the record of a hold has none), 1, 2, 3, 4, 6, 8, 12, ... 64 units, two to each
// doubling; from there on four to each doubling: 80, 96, 112, 128, 160, ... Powers of two fit
// exactly; what is lost is at most a quarter of a block larger than 64 units.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace procession::heap {

inline constexpr std::uint64_t kUnit = 64;
inline constexpr std::size_t kClasses = 156;  // up to 2^47 bytes, all that a process can map

/// The class of the largest size that is not above `units`.
constexpr std::size_t floor_class(std::uint64_t units) noexcept {
  if (units < 2) return static_cast<std::size_t>(units);
  const auto top = static_cast<std::size_t>(std::bit_width(units)) - 1;
  if (top < 6) return 2 * top + ((units >> (top - 1)) & 1);
  return 12 + (top - 6) * 4 + ((units >> (top - 2)) & 3);
}

/// The size of a class, in units.
constexpr std::uint64_t class_units(std::size_t index) noexcept {
  if (index < 2) return index;
  if (index < 12) return (std::uint64_t{2} | (index & 1)) << (index / 2 - 1);
  return (std::uint64_t{4} | (index & 3)) << ((index - 12) / 4 + 4);
}

/// The class of the smallest size that is not below `units`.
constexpr std::size_t ceil_class(std::uint64_t units) noexcept {
  const std::size_t index = floor_class(units);
  return class_units(index) < units ? index + 1 : index;
}

static_assert(class_units(1) == 1 && class_units(2) == 2 && class_units(3) == 3);
static_assert(class_units(10) == 32 && class_units(11) == 48 && class_units(12) == 64);
static_assert(class_units(13) == 80 && floor_class(80) == 13 && ceil_class(81) == 14);

}  // namespace procession::heap
