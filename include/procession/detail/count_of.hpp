#pragma once

#include <cstddef>
#include <limits>

namespace procession::detail {

/// The size of a range as a std::size_t; the greatest of these where it is more, as that of a range
/// of numbers may be.
template <class Count>
constexpr std::size_t count_of(Count count) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  if constexpr (sizeof(Count) > sizeof(std::size_t)) {
    if (count > static_cast<Count>(kMost)) return kMost;
  }
  return static_cast<std::size_t>(count);
}

}  // namespace procession::detail
