#pragma once

#include <string_view>

namespace procession::platform {

/// The descriptor of the standard error stream.
inline constexpr int kStandardError = 2;

/// True when `descriptor` is a terminal that can redraw its current line.
bool is_terminal(int descriptor) noexcept;

/// Columns of the terminal; 80 where it does not tell.
unsigned terminal_columns(int descriptor) noexcept;

/// Writes all of `text`, if possible in one piece, so that lines of several processes do not mix.
/// It is for messages about the work, not the work: what cannot be written is dropped in silence.
void write_text(int descriptor, std::string_view text) noexcept;

}  // namespace procession::platform
