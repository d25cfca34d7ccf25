// How a value, as against plain bytes, lies in a message of a stream: a magic, the fingerprint and
// the name of its type, then its encoding. What begins otherwise are bytes, whoever sent them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace procession::channel {

struct ValueHead {
  std::uint64_t fingerprint = 0;
  std::string_view type;  ///< lies in the message
  std::size_t size = 0;   ///< bytes ahead of the encoding
};

/// Appends it to `to`. Of a longer name, the begin is sent.
void write_value_head(std::vector<std::byte>& to, std::uint64_t fingerprint, std::string_view type);

/// Empty when the message is one of bytes. Throws DecodeError when it begins as a value and is
/// none.
std::optional<ValueHead> read_value_head(std::span<const std::byte> message);

}  // namespace procession::channel
