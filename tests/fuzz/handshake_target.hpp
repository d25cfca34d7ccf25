// The proof of the key on any bytes: whatever a peer without the key sends, it is never let in.
//
// The first byte says which side is attacked, whether the old form is allowed, and how large the
// pieces are; the rest is what the peer sends.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "channel/authentication.hpp"
#include "procession/error.hpp"

namespace handshake_fuzz {

namespace mp = procession;
using mp::channel::KeyProof;

inline void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "handshake: %s\n", what);
    std::abort();
  }
}

inline const mp::AuthKey& key() {
  static const mp::AuthKey one(24, std::byte{0x5a});
  return one;
}

inline void run(KeyProof& handshake, std::span<const std::byte> input, std::size_t piece) {
  while (handshake.state() == KeyProof::State::going) {
    handshake.sent(std::min(piece, handshake.unsent().size()));
    if (!handshake.unsent().empty() || handshake.state() != KeyProof::State::going) continue;
    const std::span<std::byte> room = handshake.room();
    require(!room.empty(), "it waits for bytes and has no room for them");
    const std::size_t size = std::min({piece, room.size(), input.size()});
    if (size == 0) return;
    std::memcpy(room.data(), input.data(), size);
    input = input.subspan(size);
    handshake.received(size);
  }
  require(handshake.state() == KeyProof::State::failed, "it let somebody in who has no key");
  require(!handshake.failure().empty(), "it does not say why");
}

/// Aborts when something is wrong.
inline void attack(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto first = std::to_integer<unsigned>(input[0]);
  KeyProof handshake((first & 1) != 0 ? KeyProof::Side::client : KeyProof::Side::listener, key(),
                     (first & 2) != 0);
  try {
    run(handshake, input.subspan(1), std::size_t{1} + (first >> 2));
  } catch (const mp::DecodeError&) {
  }
}

}  // namespace handshake_fuzz
