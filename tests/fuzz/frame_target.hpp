// The reader of frames on any bytes, in pieces of any size, and of the values in them.
//
// The first byte says how large the pieces are; the rest is what arrives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "channel/frame.hpp"
#include "channel/value_frame.hpp"
#include "procession/codec.hpp"
#include "procession/error.hpp"

namespace frame_fuzz {

namespace mp = procession;
using Input = std::span<const std::byte>;

constexpr std::uint64_t kMost = std::uint64_t{1} << 32;

inline void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "frame: %s\n", what);
    std::abort();
  }
}

/// False when the input ended first.
template <class Reader>
bool fill(Reader& reader, Input& input, std::size_t piece) {
  while (!reader.complete()) {
    const std::span<std::byte> room = reader.room();
    require(!room.empty(), "it wants bytes and has no room for them");
    const std::size_t size = std::min({piece, room.size(), input.size()});
    if (size == 0) return false;
    std::memcpy(room.data(), input.data(), size);
    input = input.subspan(size);
    reader.filled(size);
  }
  return true;
}

/// What a receiver does with a whole message.
inline void use(Input message) {
  const auto head = mp::channel::read_value_head(message);
  if (!head) return;
  require(head->size <= message.size() && head->fingerprint != 0, "a head that is not there");
  require(
      head->type.empty() || (head->type.data() >= reinterpret_cast<const char*>(message.data()) &&
                             head->type.data() + head->type.size() <=
                                 reinterpret_cast<const char*>(message.data() + message.size())),
      "a name outside of the message");
  std::vector<std::byte> again;
  mp::channel::write_value_head(again, head->fingerprint, head->type);
  require(again.size() == head->size && std::equal(again.begin(), again.end(), message.begin()),
          "what was read is not what would be written");
  mp::Decoder decoder(message.subspan(head->size));
  decoder.set_untrusted();
  static_cast<void>(mp::decode<std::vector<std::string>>(decoder));
}

inline void run(Input input, std::size_t piece) {
  for (;;) {
    const Input begin = input;
    mp::channel::LengthReader length(kMost);
    if (!fill(length, input, piece)) return;
    const mp::channel::FrameHead head(length.length());
    // A long form of a small length is taken, and never written.
    if (begin.size() - input.size() == head.bytes().size()) {
      require(std::equal(head.bytes().begin(), head.bytes().end(), begin.begin()),
              "the length that was read is not the one that would be written");
    }
    // A sanitizer touches what is made room for.
    mp::channel::BodyReader body(length.length(), 64);
    const Input before = input;
    if (!fill(body, input, piece)) return;
    const std::vector<std::byte> message = body.take();
    require(message.size() == length.length() &&
                std::equal(message.begin(), message.end(), before.begin()),
            "a message is not what arrived");
    use(message);
  }
}

/// Aborts when something is wrong.
inline void attack(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto first = std::to_integer<unsigned>(input[0]);
  try {
    run(input.subspan(1), std::size_t{1} + first);
  } catch (const mp::DecodeError&) {
  }
}

}  // namespace frame_fuzz
