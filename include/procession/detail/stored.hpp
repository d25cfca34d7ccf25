#pragma once

#include <initializer_list>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "procession/codec.hpp"
#include "procession/detail/callable_codec.hpp"
#include "procession/detail/codec_errors.hpp"

// What arguments are kept as and arrive as, and how they travel.
namespace procession::detail {

template <class T>
inline constexpr bool kIsInitializerList = false;
template <class T>
inline constexpr bool kIsInitializerList<std::initializer_list<T>> = true;

template <class T>
inline constexpr bool kIsStringView = false;
template <class Char, class Traits>
inline constexpr bool kIsStringView<std::basic_string_view<Char, Traits>> = true;

/// An element of a std::vector<bool>, which is no bool.
template <class T>
inline constexpr bool kIsBit = std::is_same_v<T, std::vector<bool>::reference>;

template <class T>
inline constexpr bool kIsCString = std::is_same_v<T, const char*> || std::is_same_v<T, char*>;

/// A view of elements that lie one after another, and that it does not own.
template <class T>
concept ElementView =
    !kIsStringView<T> && std::ranges::contiguous_range<const T> && std::ranges::view<T>;

template <class T>
struct KeptAs {
  using type = std::decay_t<T>;
};
template <class T>
  requires kIsCString<std::decay_t<T>>
struct KeptAs<T> {
  using type = std::string;
};
template <class T>
  requires kIsBit<std::remove_cvref_t<T>>
struct KeptAs<T> {
  using type = bool;
};
template <class T>
  requires kIsStringView<std::remove_cvref_t<T>>
struct KeptAs<T> {
  using type = std::basic_string<typename std::remove_cvref_t<T>::value_type>;
};
template <class T>
  requires(ElementView<std::remove_cvref_t<T>> || kIsInitializerList<std::remove_cvref_t<T>> ||
           (std::is_array_v<std::remove_cvref_t<T>> && !kIsCString<std::decay_t<T>>))
struct KeptAs<T> {
  using type = std::vector<std::ranges::range_value_t<std::remove_cvref_t<T>>>;
};

/// Whether a pair or a tuple has parts that are kept as something else: the keys of a map are
/// const, what goes through several ranges at once has references, and text may only be looked at.
template <class T>
inline constexpr bool kKeptByParts = false;
template <class... Part>
inline constexpr bool kKeptByParts<std::tuple<Part...>> =
    !(std::is_same_v<typename KeptAs<Part>::type, Part> && ...);
template <class First, class Second>
inline constexpr bool kKeptByParts<std::pair<First, Second>> =
    kKeptByParts<std::tuple<First, Second>>;

template <class T>
struct KeptParts;
template <class... Part>
struct KeptParts<std::tuple<Part...>> {
  using type = std::tuple<typename KeptAs<Part>::type...>;
};
template <class First, class Second>
struct KeptParts<std::pair<First, Second>> {
  using type = std::pair<typename KeptAs<First>::type, typename KeptAs<Second>::type>;
};
template <class T>
  requires kKeptByParts<std::remove_cvref_t<T>>
struct KeptAs<T> : KeptParts<std::remove_cvref_t<T>> {};

/// The type in which an argument of type T is kept and decoded: what owns its elements in place of
/// what views them (`std::string` for text, `std::vector` for arrays, spans and initializer lists),
/// a pointer for a function, a bool for an element of a vector of them, else T without reference
/// and const. The same for the parts of a pair or a tuple.
template <class T>
using Kept = typename KeptAs<T>::type;

/// Copies or moves an argument into what it is kept in. Throws `std::invalid_argument` for a null
/// `const char*`.
template <class T>
Kept<T> store(T&& argument) {
  using Plain = std::remove_cvref_t<T>;
  if constexpr (std::is_same_v<Kept<T>, std::decay_t<T>>) {
    return std::forward<T>(argument);
  } else if constexpr (kKeptByParts<Plain>) {
    return std::apply(
        [](auto&&... parts) { return Kept<T>(store(std::forward<decltype(parts)>(parts))...); },
        std::forward<T>(argument));
  } else if constexpr (kIsBit<Plain>) {
    return static_cast<bool>(argument);
  } else if constexpr (std::is_pointer_v<Plain>) {
    if (argument == nullptr) {
      throw_null_text();
    }
    return Kept<T>(argument);
  } else if constexpr (kIsCString<std::decay_t<T>>) {
    return Kept<T>(std::string_view(static_cast<const char*>(argument)));
  } else {
    return Kept<T>(std::ranges::begin(argument), std::ranges::end(argument));
  }
}

/// Whether a decayed type can be an argument: by the codec, or as a callable.
template <class T>
concept Sendable = PlainCallable<T> || SelfDecoding<T> || Encodable<T>;

/// Stops the compilation, with the line that says why, unless it is true.
template <class T, bool kGood>
constexpr void demand_sendable() {
  // Named, not called: a call here, in a constant expression, would be a second error.
  if constexpr (!kGood) static_cast<void>(&refuse<T>);
}

/// Whether all of them can be arguments; where not, stops the compilation.
template <class... T>
constexpr bool check_sendable() {
  (demand_sendable<T, Sendable<T>>(), ...);
  return (Sendable<T> && ...);
}

/// Whether all of them (void too) can be sent to another program; where not, stops the compilation.
template <class... T>
constexpr bool check_encodable() {
  (demand_sendable<T, std::is_void_v<T> || Encodable<T>>(), ...);
  return ((std::is_void_v<T> || Encodable<T>) && ...);
}

template <Sendable T>
void encode_stored(Encoder& encoder, const T& value) {
  if constexpr (SelfDecoding<T>) {
    value.encode_to(encoder);
  } else if constexpr (Encodable<T>) {
    procession::encode(encoder, value);
  } else {
    encode_plain_callable(encoder, value);
  }
}

template <Sendable T>
T decode_stored(Decoder& decoder) {
  if constexpr (SelfDecoding<T>) {
    return T::decode_from(decoder);
  } else if constexpr (Encodable<T>) {
    return procession::decode<T>(decoder);
  } else {
    return decode_plain_callable<T>(decoder);
  }
}

/// Writes `argument` as a `Kept<T>`.
template <class T>
void encode_argument(Encoder& encoder, const T& argument) {
  if constexpr (std::is_same_v<Kept<const T&>, T>) {
    encode_stored(encoder, argument);
  } else if constexpr (std::is_class_v<T> &&
                       std::is_same_v<Kept<const T&>, procession::Stored<T>>) {
    procession::encode(encoder, argument);  // spares the copy: the bytes are the same
  } else if constexpr (kKeptByParts<T> && Encodable<Kept<const T&>>) {
    // So does this: a tuple is its parts, one after another.
    std::apply([&](const auto&... parts) { (encode_argument(encoder, parts), ...); }, argument);
  } else {
    encode_stored(encoder, store(argument));
  }
}

}  // namespace procession::detail
