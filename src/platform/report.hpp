#pragma once

#include <string_view>

#include "procession/timeout.hpp"

namespace procession::platform {

/// The descriptor of the standard error stream.
inline constexpr int kStandardError = 2;

/// Writes all of `text` to a descriptor of the user's, if possible in one piece, so that lines of
/// several processes do not mix. Where somebody made it non-blocking and it is full, waits for room
/// up to `longest` at a time, empty: for ever, as a write to a blocking one does. What cannot be
/// written is dropped in silence, and no signal comes of a reader that has gone. Leaves errno.
void write_text(int descriptor, std::string_view text, Timeout longest = {}) noexcept;

/// Writes it to standard error, however long that takes.
inline void write_to_stderr(std::string_view text) noexcept { write_text(kStandardError, text); }

}  // namespace procession::platform
