#include <cstdio>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>

#include "platform/address.hpp"
#include "procession/callable.hpp"
#include "procession/error.hpp"

namespace procession {
namespace detail {

void note_captured_addresses(Encoder& encoder, std::span<const std::byte> closure) {
  std::uintptr_t word = 0;
  // Closures are aligned as their captures need it: a pointer lies at a multiple of its size.
  for (; closure.size() >= sizeof(word); closure = closure.subspan(sizeof(word))) {
    std::memcpy(&word, closure.data(), sizeof(word));
    if (platform::is_private_address(word)) {
      encoder.note_address(reinterpret_cast<const void*>(word));
      return;
    }
  }
}

void run_encoded_call(Decoder& decoder) { decode_entry<void(Decoder&)>(decoder)(decoder); }

void throw_empty_function() { throw std::bad_function_call(); }

void throw_null_target() {
  throw std::invalid_argument(
      "the function to call in another process is a null pointer or an empty Function; give one "
      "that "
      "can be called");
}

namespace {

[[noreturn]] void throw_state_length(std::uint64_t found, std::uint64_t expected) {
  throw DecodeError("the state of a function takes " + std::to_string(expected) +
                    " bytes and is said to take " + std::to_string(found) +
                    "; the bytes are damaged, or are not of the type that was to be read");
}

}  // namespace

void encode_function_state(Encoder& encoder, const CodeRecord* record,
                           void (*encode)(Encoder&, FunctionState&), FunctionState& state) {
  encode_record(encoder, record);
  if (record == nullptr) {
    return;
  }
  std::uint64_t length = 0;
  const std::size_t place = encoder.size();
  encoder.write(&length, sizeof(length));
  encode(encoder, state);
  length = encoder.size() - place - sizeof(length);
  // The encoder gave us this room to fill; only where it lies may have changed since.
  std::memcpy(const_cast<std::byte*>(encoder.bytes().data()) + place, &length, sizeof(length));
}

void decode_function_state(Decoder& decoder, void (*decode)(Decoder&, FunctionState&),
                           void (*destroy)(FunctionState&) noexcept, FunctionState& state) {
  std::uint64_t length = 0;
  decoder.read(&length, sizeof(length));
  const std::size_t before = decoder.remaining();
  decode(decoder, state);
  if (const std::size_t taken = before - decoder.remaining(); taken != length) {
    destroy(state);
    throw_state_length(length, taken);
  }
}

}  // namespace detail

void refuse_noted_address(const Encoder& encoder, std::string_view what) {
  const void* const address = encoder.noted_address();
  if (address == nullptr) {
    return;
  }
  char text[2 + 2 * sizeof(address) + 1];
  std::snprintf(text, sizeof(text), "%p", address);
  throw std::invalid_argument(
      std::string(what) + ": a closure captured an address of this process (" + text +
      "), by a reference, a pointer or this, which means nothing in the process it is sent to; "
      "capture by value, pass what it needs as arguments, or use procession::bind; only a Process "
      "by "
      "fork or thread may keep such a closure");
}

}  // namespace procession
