// What a listener with a key says first, as CPython's multiprocessing.connection writes it. It is
// apart from the proofs, so that programs whose connections are all local load no cryptography.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace procession::channel {

inline constexpr std::string_view kChallenge = "#CHALLENGE#";

/// Bytes that the shortest challenge has behind that word.
inline constexpr std::size_t kShortestNonce = 20;

/// Bytes of the longest message of either side.
inline constexpr std::size_t kLongestMessage = 256;

/// Whether a message is what a listener with a key says first.
inline bool is_challenge(std::span<const std::byte> message) noexcept {
  return message.size() >= kChallenge.size() + kShortestNonce &&
         message.size() <= kLongestMessage &&
         std::string_view(reinterpret_cast<const char*>(message.data()), message.size())
             .starts_with(kChallenge);
}

}  // namespace procession::channel
