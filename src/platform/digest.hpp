#pragma once

#include <cstddef>
#include <span>
#include <vector>

// Message authentication, by OpenSSL.
namespace procession::platform {

enum class Digest { md5, sha256, sha384, sha3_256, sha3_384 };

/// HMAC of the message. Throws `ProcessError` where the system's OpenSSL does not offer the digest.
std::vector<std::byte> hmac(Digest digest, std::span<const std::byte> key,
                            std::span<const std::byte> message);

/// Whether they are equal, in a time that tells nothing of where they differ.
bool equal_secrets(std::span<const std::byte> one, std::span<const std::byte> other) noexcept;

}  // namespace procession::platform
