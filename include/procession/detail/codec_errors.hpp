#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "procession/detail/requirements.hpp"

// What goes wrong in the codec, thrown out of line so that the templates stay small.
namespace procession::detail {

/// All of these throw `DecodeError`; `type` is the readable name of what was being decoded.
[[noreturn]] void throw_bad_length(std::string_view type, std::uint64_t length,
                                   std::size_t element_bytes, std::size_t remaining);
[[noreturn]] void throw_bad_byte(std::string_view type, unsigned found, std::string_view expected);
[[noreturn]] void throw_duplicate_key(std::string_view type);
[[noreturn]] void throw_no_memory(std::string_view type);

/// These throw `std::invalid_argument`, at the sender.
[[noreturn]] void throw_valueless(std::string_view type);
[[noreturn]] void throw_null_text();

}  // namespace procession::detail
