#pragma once

#include <cstddef>
#include <span>

namespace procession::platform {

/// Fills it from the system's generator, for keys and challenges. Throws `ProcessError`.
void fill_random(std::span<std::byte> bytes);

}  // namespace procession::platform
