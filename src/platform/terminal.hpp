#pragma once

namespace procession::platform {

/// True when `descriptor` is a terminal that can redraw its current line.
bool is_terminal(int descriptor) noexcept;

/// Columns of the terminal; 80 where it does not tell.
unsigned terminal_columns(int descriptor) noexcept;

}  // namespace procession::platform
