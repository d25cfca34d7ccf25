// How TLS begins, as seen by who speaks in the clear: a program that was told to use TLS has met
// one that was not. As frames, these bytes would be the lengths of messages of some 350 MB, and
// both sides would wait for the rest for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace procession::channel {

enum class TlsSign : std::uint8_t {
  none,
  hello,  ///< a client begins
  alert,  ///< a listener says that it was not spoken to in TLS
};

/// So many bytes are enough to tell.
inline constexpr std::size_t kTlsSignBytes = 9;

/// Whether the first four bytes can be those of TLS.
bool may_be_tls(std::span<const std::byte> begin) noexcept;

/// What bytes begin with that are the first on a connection. A message of a length that looks like
/// TLS is taken for it only if the lengths of both layers of a hello agree, or if an alert's level
/// and length do.
TlsSign tls_sign(std::span<const std::byte> begin) noexcept;

}  // namespace procession::channel
