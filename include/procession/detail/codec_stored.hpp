#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "procession/detail/codec_traits.hpp"

// What only looks at values (a string_view, a span, a `const char*`) can be sent, and arrives as
// something that owns them.
namespace procession::detail {

template <class T>
concept ContiguousView = std::is_class_v<T> && requires(const T& value) {
  typename T::value_type;
  { value.size() } -> std::convertible_to<std::size_t>;
  requires std::is_same_v<std::remove_cvref_t<decltype(*value.data())>, typename T::value_type>;
};

template <class T>
struct StoredAs {
  using type = T;
};

template <>
struct StoredAs<const char*> {
  using type = std::string;
};
template <>
struct StoredAs<char*> {
  using type = std::string;
};

template <class C, class Traits>
struct StoredAs<std::basic_string_view<C, Traits>> {
  using type = std::basic_string<C, Traits>;
};

template <ContiguousView T>
  requires(!encodable<T>())
struct StoredAs<T> {
  using type = std::vector<typename T::value_type>;
};

}  // namespace procession::detail

namespace procession {

/// The type that an argument of type T arrives as: T itself, but `std::string` for text that is
/// only looked at, and `std::vector` for a span and its like. `encode` writes those as it would
/// write what they arrive as.
template <class T>
using Stored = typename detail::StoredAs<std::decay_t<T>>::type;

}  // namespace procession
