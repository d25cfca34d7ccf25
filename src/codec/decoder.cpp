#include <string>
#include <utility>

#include "procession/codec.hpp"
#include "procession/error.hpp"

namespace procession {
namespace {

constexpr const char* kAdvice =
    "; the bytes were cut off or damaged, or were not written by `encode` of the same type";

[[noreturn]] void fail(const std::string& what) { throw DecodeError(what + kAdvice); }

}  // namespace

void Decoder::expect_end() const {
  if (remaining() != 0) {
    fail("a message was decoded and " + std::to_string(remaining()) + " bytes are left over");
  }
}

int Decoder::take_passed(std::size_t number) {
  const int taken = number < passed_.size() ? std::exchange(passed_[number], -1) : -1;
  if (taken < 0) {
    fail("descriptor " + std::to_string(number) + " of " + std::to_string(passed_.size()) +
         " that came with a message was asked for and is not there");
  }
  return taken;
}

namespace detail {

void throw_truncated(std::size_t needed, std::size_t remaining) {
  fail("decoding needs " + std::to_string(needed) + " more bytes and " + std::to_string(remaining) +
       " remain");
}

void throw_untrusted(const char* what) {
  throw DecodeError("asked to decode " + std::string(what) +
                    ", and the bytes come from another program; no code address and no handle "
                    "ever crosses a network");
}

void throw_decoding_too_deep() {
  fail("decoding met values nested more than " + std::to_string(kMaxNesting) + " levels deep");
}

void throw_bad_length(std::string_view type, std::uint64_t length, std::size_t element_bytes,
                      std::size_t remaining) {
  fail("decoding a " + std::string(type) + " met the length " + std::to_string(length) +
       ", whose elements take at least " + std::to_string(element_bytes) + " bytes each, and " +
       std::to_string(remaining) + " bytes remain");
}

void throw_bad_byte(std::string_view type, unsigned found, std::string_view expected) {
  fail("decoding a " + std::string(type) + " met " + std::to_string(found) + " where " +
       std::string(expected) + " must be");
}

void throw_duplicate_key(std::string_view type) {
  fail("decoding a " + std::string(type) + " met the same key twice");
}

void throw_no_memory(std::string_view type) {
  throw DecodeError(
      "not enough memory to decode a " + std::string(type) +
      "; the sender's value is larger than this process may allocate, or the bytes are damaged");
}

}  // namespace detail
}  // namespace procession
