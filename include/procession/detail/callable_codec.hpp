#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "procession/detail/callable_traits.hpp"
#include "procession/detail/code.hpp"

// How function pointers and closures travel. Needs nothing of the codec, which includes it.
namespace procession::detail {

/// Calls `encoder.note_address()` if a word of `closure` is an address of this process: a captured
/// reference or pointer, `this`, the address of a function. Not noted: null, what lies in the
/// shared heap. Thread-safe for distinct encoders.
void note_captured_addresses(Encoder& encoder, std::span<const std::byte> closure);

/// The bytes of an object of type F, aligned as it is.
template <class F>
struct alignas(F) BytesOf {
  std::array<std::byte, sizeof(F)> bytes{};
};

template <class F>
void clear_padding([[maybe_unused]] BytesOf<F>& object) {
#if __has_builtin(__builtin_clear_padding)
  // Not what std::is_trivially_copyable_v says, which may be an earlier answer than the builtin's:
  // see is_trivially_copyable().
  if constexpr (__is_trivially_copyable(F)) {
    __builtin_clear_padding(reinterpret_cast<F*>(object.bytes.data()));
  }
#endif
}

template <ClosureLike F>
void encode_closure(Encoder& encoder, const F& closure) {
  if constexpr (!std::is_empty_v<F>) {
    BytesOf<F> object;
    std::memcpy(object.bytes.data(), static_cast<const void*>(std::addressof(closure)), sizeof(F));
    // What lay on the stack before must neither be sent nor be taken for a capture.
    clear_padding(object);
    encoder.name_code();
    if constexpr (!kPointerFree<F>) {
      note_captured_addresses(encoder, object.bytes);
    }
    encoder.write(object.bytes.data(), object.bytes.size());
  }
}

template <ClosureLike F>
F decode_closure(Decoder& decoder) {
  BytesOf<F> object;
  if constexpr (!std::is_empty_v<F>) {
    decoder.refuse_untrusted("a closure");
    decoder.read(object.bytes.data(), object.bytes.size());
  }
  return std::move(*std::launder(reinterpret_cast<F*>(object.bytes.data())));
}

/// Writes a function's name or a closure's bytes. Throws `std::invalid_argument` for a function
/// that lies in no image.
template <PlainCallable F>
void encode_plain_callable(Encoder& encoder, const F& callable) {
  if constexpr (kIsFunctionPointer<F>) {
    encode_function(encoder, reinterpret_cast<std::uintptr_t>(callable));
  } else {
    encode_closure(encoder, callable);
  }
}

/// The counterpart; no default constructor is needed. Throws as decode_function() does.
template <PlainCallable F>
F decode_plain_callable(Decoder& decoder) {
  if constexpr (kIsFunctionPointer<F>) {
    return reinterpret_cast<F>(decode_function(decoder));
  } else {
    return decode_closure<F>(decoder);
  }
}

/// The same into an object that exists. A closure with captures has no assignment.
template <PlainCallable F>
void decode_plain_callable_into(Decoder& decoder, F& callable) {
  if constexpr (kIsFunctionPointer<F>) {
    callable = decode_plain_callable<F>(decoder);
  } else if constexpr (!std::is_empty_v<F>) {
    decoder.refuse_untrusted("a closure");
    decoder.read(static_cast<void*>(&callable), sizeof(F));
  }
}

}  // namespace procession::detail
