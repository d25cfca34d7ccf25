#include <array>
#include <charconv>
#include <string>

#include "procession/codec.hpp"
#include "procession/error.hpp"

namespace procession::detail {

void throw_type_mismatch(std::string_view asked, std::uint64_t fingerprint,
                         std::string_view found) {
  if (!found.empty()) {
    throw TypeMismatch(std::string(asked), std::string(found));
  }
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), fingerprint, 16).ptr;
  throw TypeMismatch(std::string(asked),
                     "a type with the fingerprint " + std::string(digits.begin(), end));
}

}  // namespace procession::detail
