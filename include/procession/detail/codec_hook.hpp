#pragma once

#include <concepts>
#include <type_traits>

#include "procession/detail/decoder.hpp"
#include "procession/detail/encoder.hpp"

// A type's own `encode` and `decode`, found by argument-dependent lookup. The namespace holds
// nothing else, so that ordinary lookup finds only the two deleted functions here, which stand
// before procession::encode and decode.
namespace procession::detail::adl {

void encode() = delete;
void decode() = delete;

template <class T>
concept HasEncode = requires(Encoder& encoder, const T& value) { encode(encoder, value); };

template <class T>
concept HasDecode = requires(Decoder& decoder, T& value) { decode(decoder, value); };

/// Converts to `Of` and not, as a conversion that is no template would, to a base class of it too.
template <class Of>
struct Exactly {
  template <std::same_as<Of> T>
  operator const T&() const noexcept;  // NOLINT
};

/// Converts to base classes of `Of` only.
template <class Of>
struct BaseOf {
  template <class T>
    requires(std::is_base_of_v<T, Of> && !std::is_same_v<T, Of>)
  operator const T&() const noexcept;  // NOLINT
};

/// Whether `encode` of a `T` would be that of a base class, which would lose what the derived class
/// adds.
template <class T>
concept EncodesBaseOnly = std::is_class_v<T> && requires(Encoder& encoder, const BaseOf<T>& base) {
  encode(encoder, base);
} && !requires(Encoder& encoder, const Exactly<T>& value) { encode(encoder, value); };

/// Whether T has one of the two and lacks the other. A conversion to another type that has `encode`
/// does not count.
template <class T>
concept HalfHooked = (!HasEncode<T> && HasDecode<T>) ||
                     (!HasDecode<T> && requires(Encoder& encoder, const Exactly<T>& value) {
                       encode(encoder, value);
                     });

template <class T>
void call_encode(Encoder& encoder, const T& value) {
  encode(encoder, value);
}

template <class T>
void call_decode(Decoder& decoder, T& value) {
  decode(decoder, value);
}

}  // namespace procession::detail::adl

namespace procession::detail {

/// Whether T has both functions, for itself and not for a base class.
template <class T>
concept Hooked = adl::HasEncode<T> && adl::HasDecode<T> && !adl::EncodesBaseOnly<T>;

}  // namespace procession::detail
