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

/// Whether no part of F is a pointer or a reference: only such types can be made of bytes at
/// compile time. A few others cannot either (unions, long double); they pass for pointers.
template <class F>
inline constexpr bool kPointerFree = sizeof(F) <= 1024 && requires {
  typename std::bool_constant<(
      static_cast<void>(std::bit_cast<F>(std::array<unsigned char, sizeof(F)>{})), true)>;
};

/// Whether F is trivially copyable. g++ 12 says no of every closure with captures once something
/// has asked whether it can be assigned (it cannot): nothing here asks as long as the answer is
/// yes.
template <class F>
constexpr bool is_trivially_copyable() {
  if constexpr (std::is_trivially_copyable_v<F>) {
    return true;
  } else if constexpr (std::is_trivially_copy_constructible_v<F> &&
                       std::is_trivially_destructible_v<F>) {
    return !std::is_copy_assignable_v<F> && !std::is_move_assignable_v<F>;
  } else {
    return false;
  }
}

/// A closure or function object that travels as its bytes. (kPointerFree is looked at before
/// anything can have asked that question: its answer stays.)
template <class F>
concept ClosureLike = std::is_class_v<F> && !std::is_const_v<F> && (kPointerFree<F> || true) &&
                      is_trivially_copyable<F>() && !std::is_polymorphic_v<F> &&
                      has_call_operator<F>() && !SelfDecoding<F> && !Hooked<F>;

/// What travels as the name of a function or as the bytes of a closure.
template <class F>
concept PlainCallable = kIsFunctionPointer<F> || ClosureLike<F>;

}  // namespace procession::detail
