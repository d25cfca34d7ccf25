#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "procession/detail/codec_kind.hpp"
#include "procession/detail/handle.hpp"
#include "procession/detail/type_name.hpp"

// What the codec computes about types: what they consist of, whether all of that can be sent, how
// few bytes they take, and whether their bytes can be copied as they are.
namespace procession::detail {

template <class T>
struct ArgumentList;
template <template <class...> class Template, class... Args>
struct ArgumentList<Template<Args...>> {
  using type = TypeList<Args...>;
};

/// `TypeList` of the types whose values make up an encoding of T.
template <class T>
constexpr auto parts_of() {
  constexpr Kind kind = kKind<T>;
  if constexpr (kind == Kind::array) {
    return TypeList<std::remove_cvref_t<decltype(std::declval<T&>()[0])>>{};
  } else if constexpr (kind == Kind::optional || kind == Kind::sequence) {
    return TypeList<typename T::value_type>{};
  } else if constexpr (kind == Kind::set) {
    return TypeList<typename T::key_type>{};
  } else if constexpr (kind == Kind::variant || kind == Kind::tuple) {
    return typename ArgumentList<T>::type{};
  } else if constexpr (kind == Kind::map) {
    return TypeList<typename T::key_type, typename T::mapped_type>{};
  } else if constexpr (kind == Kind::owner) {
    return TypeList<typename T::element_type>{};
  } else if constexpr (kind == Kind::duration) {
    return TypeList<typename T::rep>{};
  } else if constexpr (kind == Kind::time_point) {
    return TypeList<typename T::duration>{};
  } else if constexpr (kind == Kind::aggregate) {
    return FieldTypes<T>{};
  } else {
    return TypeList<>{};
  }
}

template <class T>
using PartsOf = decltype(parts_of<T>());

/// Whether decoding makes the parts itself, by their default constructor.
template <class T>
inline constexpr bool kMakesParts =
    kKind<T> == Kind::optional || kKind<T> == Kind::sequence || kKind<T> == Kind::set ||
    kKind<T> == Kind::variant || kKind<T> == Kind::map || kKind<T> == Kind::owner;

/// Whether a unique_ptr deletes as `new` allocates, and what it points to is all there is.
template <class T>
constexpr bool owner_is_sound() {
  using Element = typename T::element_type;
  if constexpr (std::is_void_v<Element> || !requires(T& owner) { owner.operator->(); }) {
    return false;
  } else {
    return !std::is_const_v<Element> &&
           (!std::is_polymorphic_v<Element> || std::is_final_v<Element>) &&
           raw_type_name<typename T::deleter_type>().find("default_delete<") !=
               std::string_view::npos;
  }
}

template <class T, class... Outer>
constexpr bool encodable();

template <class T, class Part, class... Outer>
constexpr bool encodable_part() {
  return encodable<Part, Outer...>() && (!kMakesParts<T> || std::is_default_constructible_v<Part>);
}

template <class T, class... Part, class... Outer>
constexpr bool encodable_parts(TypeList<Part...>, TypeList<Outer...>) {
  return (encodable_part<T, Part, Outer...>() && ...);
}

/// Whether T and all it consists of can be sent. `Outer` are the aggregates that this T is a part
/// of: those are being looked at already, which is how a type may contain a vector of itself.
template <class T, class... Outer>
constexpr bool encodable() {
  constexpr Kind kind = kKind<T>;
  if constexpr ((std::is_same_v<T, Outer> || ...)) {
    return true;
  } else if constexpr (kind == Kind::none) {
    return false;
  } else if constexpr (kind == Kind::aggregate) {
    return encodable_parts<T>(PartsOf<T>{}, TypeList<T, Outer...>{});
  } else if constexpr (kind == Kind::owner) {
    if constexpr (owner_is_sound<T>()) {
      return encodable_parts<T>(PartsOf<T>{}, TypeList<Outer...>{});
    } else {
      return false;
    }
  } else {
    return encodable_parts<T>(PartsOf<T>{}, TypeList<Outer...>{});
  }
}

template <class T>
inline constexpr bool kBitwise = false;

template <class T, class... Part>
constexpr bool bitwise_parts(TypeList<Part...>) {
  if constexpr (sizeof...(Part) == 0) {
    return false;
  } else if constexpr ((kBitwise<Part> && ...)) {
    return (sizeof(Part) + ...) == sizeof(T);
  } else {
    return false;
  }
}

/// Whether an object's bytes are its encoding: every pattern is a value, and no byte is padding,
/// which would send whatever happened to lie there.
template <class T>
  requires(kKind<T> == Kind::scalar)
inline constexpr bool kBitwise<T> = true;

template <class T>
  requires(kKind<T> == Kind::aggregate || kKind<T> == Kind::duration ||
           kKind<T> == Kind::time_point)
inline constexpr bool kBitwise<T> =
    std::is_trivially_copyable_v<T> && !std::is_empty_v<T> && bitwise_parts<T>(PartsOf<T>{});

/// The number of elements of an array.
template <class T>
inline constexpr std::size_t kExtent = std::extent_v<T>;
template <class T, std::size_t N>
inline constexpr std::size_t kExtent<std::array<T, N>> = N;

template <class T>
using ElementOf = std::remove_cvref_t<decltype(std::declval<T&>()[0])>;

template <class T>
  requires(kKind<T> == Kind::array)
inline constexpr bool kBitwise<T> =
    kExtent<T> != 0 && kBitwise<ElementOf<T>> && sizeof(T) == kExtent<T> * sizeof(ElementOf<T>);

/// Bytes of a long double that count.
inline constexpr std::size_t kLongDoubleBytes = 10;

/// How an alternative of a variant is named.
template <class T>
using VariantIndex =
    std::conditional_t<(std::variant_size_v<T> <= 256), std::uint8_t, std::uint32_t>;

template <class T, class... Outer>
constexpr bool holds_handles();

template <class... Part, class... Outer>
constexpr bool parts_hold_handles(TypeList<Part...>, TypeList<Outer...>) {
  return (holds_handles<Part, Outer...>() || ...);
}

/// Whether a default-constructed T, or what decoding makes for it, has handles in it. What a class
/// with functions of its own has is its own affair.
template <class T, class... Outer>
constexpr bool holds_handles() {
  if constexpr (kIsHandle<T>) {
    return true;
  } else if constexpr ((std::is_same_v<T, Outer> || ...) || kKind<T> == Kind::hooked) {
    return false;
  } else if constexpr (kKind<T> == Kind::aggregate) {
    return parts_hold_handles(PartsOf<T>{}, TypeList<T, Outer...>{});
  } else {
    return parts_hold_handles(PartsOf<T>{}, TypeList<Outer...>{});
  }
}

template <class T>
constexpr std::size_t min_size();

template <class T, class... Part>
constexpr std::size_t min_size_of_parts(TypeList<Part...>) {
  if constexpr (sizeof...(Part) == 0) {
    return 1;  // something empty is one zero byte
  } else if constexpr (kKind<T> == Kind::variant) {
    return sizeof(VariantIndex<T>) + std::min({min_size<Part>()...});
  } else {
    return (min_size<Part>() + ...);
  }
}

/// The fewest bytes an encoding of T takes; 0 only where that is up to functions of the user.
template <class T>
constexpr std::size_t min_size() {
  constexpr Kind kind = kKind<T>;
  if constexpr (kind == Kind::hooked) {
    return 0;
  } else if constexpr (kind == Kind::boolean || kind == Kind::optional || kind == Kind::owner) {
    return 1;
  } else if constexpr (kBitwise<T>) {
    return sizeof(T);
  } else if constexpr (kind == Kind::long_double) {
    return kLongDoubleBytes;
  } else if constexpr (kind == Kind::array) {
    return kExtent<T> == 0 ? 1 : kExtent<T> * min_size<ElementOf<T>>();
  } else if constexpr (kind == Kind::tuple || kind == Kind::aggregate || kind == Kind::variant ||
                       kind == Kind::duration || kind == Kind::time_point) {
    return min_size_of_parts<T>(PartsOf<T>{});
  } else {
    return sizeof(std::uint64_t);
  }
}

}  // namespace procession::detail
