#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include "procession/detail/codec_hook.hpp"

// Which types are callables that can be sent, and how.
namespace procession::detail {

template <class F>
inline constexpr bool kIsFunctionPointer =
    std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

struct SomeCallOperator {
  void operator()();
};

template <class F>
struct WithSecondCallOperator : F, SomeCallOperator {};

/// Whether F has a call operator, however overloaded or generic: with a second one inherited, its
/// name becomes ambiguous.
template <class F>
constexpr bool has_call_operator() {
  if constexpr (!std::is_class_v<F>) {
    return false;
  } else if constexpr (std::is_final_v<F>) {
    return requires { &F::operator(); };
  } else {
    return !requires { &WithSecondCallOperator<F>::operator(); };
  }
}

/// A class that encodes itself and is decoded without a default constructor: Bound is one.
template <class F>
concept SelfDecoding = requires(const F& value, Encoder& encoder, Decoder& decoder) {
  value.encode_to(encoder);
  { F::decode_from(decoder) } -> std::same_as<F>;
};

/// A closure or function object that travels as its bytes.
template <class F>
concept ClosureLike =
    std::is_class_v<F> && !std::is_const_v<F> && std::is_trivially_copyable_v<F> &&
    !std::is_polymorphic_v<F> && has_call_operator<F>() && !SelfDecoding<F> && !Hooked<F>;

/// What travels as the name of a function or as the bytes of a closure.
template <class F>
concept PlainCallable = kIsFunctionPointer<F> || ClosureLike<F>;

/// Whether no part of F is a pointer or a reference: only such types can be made of bytes, and
/// turned back, at compile time. A few others cannot either (unions, long double); they pass for
/// pointers.
template <class F>
concept PointerFree = sizeof(F) <= 1024 && requires {
  typename std::bool_constant<(
      static_cast<void>(std::bit_cast<F>(std::array<unsigned char, sizeof(F)>{})), true)>;
};

}  // namespace procession::detail
