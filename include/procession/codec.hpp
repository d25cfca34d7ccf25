#pragma once

#include <new>
#include <stdexcept>
#include <type_traits>

#include "procession/detail/codec_refusal.hpp"
#include "procession/detail/decode_value.hpp"
#include "procession/detail/encode_value.hpp"

namespace procession {

template <class T>
concept Encodable = std::is_object_v<T> && detail::encodable<std::remove_cv_t<T>>();

// Functions that argument-dependent lookup does not find: it ignores using-directives. A user's own `encode` and
// `decode` therefore never compete with these.
namespace codec_functions {

template <class T>
void encode(Encoder& encoder, const T& value) {
  if constexpr (Encodable<T>) {
    detail::encode_value(encoder, value);
  } else {
    detail::refuse<T>();
  }
}

template <class T>
void decode(Decoder& decoder, T& value) {
  if constexpr (Encodable<T>) {
    try {
      detail::decode_value(decoder, value);
    } catch (const std::bad_alloc&) {
      detail::throw_no_memory(type_name<T>());
    } catch (const std::length_error&) {
      detail::throw_no_memory(type_name<T>());
    }
  } else {
    detail::refuse<T>();
  }
}

template <class T>
T decode(Decoder& decoder) {
  T value{};
  codec_functions::decode(decoder, value);
  return value;
}

}  // namespace codec_functions

using namespace codec_functions;

}  // namespace procession
