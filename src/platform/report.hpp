#pragma once

#include <string_view>

namespace procession::platform {

/// Writes a text to standard error in one piece, so that it does not mix with what other processes
/// write.
void write_to_stderr(std::string_view text) noexcept;

}  // namespace procession::platform
