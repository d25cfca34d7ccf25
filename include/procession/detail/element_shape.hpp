#pragma once

#include <cstddef>

namespace procession::detail {

/// To so many bytes memory that processes share is aligned at most: it begins at the same place of
/// a page in each of them, but at any page.
inline constexpr std::size_t kMostAlignment = 4096;

/// What a type needs of memory.
struct ElementShape {
  std::size_t size;
  std::size_t alignment;
};

}  // namespace procession::detail
