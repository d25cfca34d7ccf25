#pragma once

#include <cstddef>

namespace procession::detail {

/// What a type needs of memory.
struct ElementShape {
  std::size_t size;
  std::size_t alignment;
};

}  // namespace procession::detail
