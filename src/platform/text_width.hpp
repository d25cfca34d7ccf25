#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// How text lies on a terminal, whatever locale the program has set: a terminal shows UTF-8.
namespace procession::platform {

/// The text as one line of a terminal can show it: control characters, and those that change the
/// direction of writing, become spaces; bytes that are no UTF-8 become '?'.
std::string printable(std::string_view text);

/// Columns that printable text takes: two for each wide character, none for one that combines with
/// the one before it. Where the system does not tell, more rather than fewer.
std::size_t columns_of(std::string_view printable);

/// The end is cut off so that at most so many columns are left.
void cut_to_columns(std::string& printable, std::size_t columns);

}  // namespace procession::platform
