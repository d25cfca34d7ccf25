#include "channel/value_frame.hpp"

#include <algorithm>
#include <cstring>

#include "procession/error.hpp"

namespace procession::channel {

namespace {

// Its last byte is the version of what follows.
constexpr unsigned char kMagic[16] = {0x9e, 'P', 'r', 'o',  'c',  'e',  's',  's',
                                      'i',  'o', 'n', 0xff, 0x0d, 0x0a, 0x1a, 0x01};
constexpr std::size_t kMostOfName = 120;

struct Fixed {
  unsigned char magic[sizeof kMagic];
  std::uint64_t fingerprint;
  std::uint64_t name_size;
};

}  // namespace

void write_value_head(std::vector<std::byte>& to, std::uint64_t fingerprint,
                      std::string_view type) {
  type = type.substr(0, kMostOfName);
  Fixed fixed{{}, fingerprint, type.size()};
  std::memcpy(fixed.magic, kMagic, sizeof kMagic);
  const auto begin = std::as_bytes(std::span(&fixed, 1));
  to.insert(to.end(), begin.begin(), begin.end());
  const auto name = std::as_bytes(std::span(type));
  to.insert(to.end(), name.begin(), name.end());
}

std::optional<ValueHead> read_value_head(std::span<const std::byte> message) {
  if (message.size() < sizeof kMagic || std::memcmp(message.data(), kMagic, sizeof kMagic) != 0) {
    return std::nullopt;
  }
  Fixed fixed{};
  std::memcpy(&fixed, message.data(), std::min(message.size(), sizeof fixed));
  if (message.size() < sizeof fixed || fixed.fingerprint == 0 || fixed.name_size > kMostOfName ||
      fixed.name_size > message.size() - sizeof fixed) {
    throw DecodeError(
        "asked to receive a message, found one that begins as a value of this library and is none; "
        "it was damaged, or the other side pretends");
  }
  const auto name = message.subspan(sizeof fixed, fixed.name_size);
  return ValueHead{fixed.fingerprint,
                   {reinterpret_cast<const char*>(name.data()), name.size()},
                   sizeof fixed + name.size()};
}

}  // namespace procession::channel
