#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "procession/detail/aggregate.hpp"
#include "procession/detail/codec_hook.hpp"

// Which of the codec's ways a type is encoded in. Containers and the like are recognised by their
// members rather than by their names where naming them would cost an include.
namespace procession::detail {

enum class Kind {
  none,         ///< it cannot be sent
  hooked,       ///< its author wrote `encode` and `decode`
  boolean,      ///< bool, and enums based on it: one byte, 0 or 1
  scalar,       ///< other arithmetic types and enums: their bytes
  long_double,  ///< a long double with padding: the bytes that count
  text,         ///< std::basic_string
  bits,         ///< std::vector<bool>
  array,        ///< T[N], std::array
  optional,
  variant,
  tuple,  ///< std::tuple, std::pair
  map,
  set,
  sequence,  ///< what has emplace_back
  owner,     ///< std::unique_ptr
  duration,
  time_point,
  path,
  aggregate,
};

template <class T, template <class...> class Template>
inline constexpr bool kIsSpecialisation = false;
template <template <class...> class Template, class... Args>
inline constexpr bool kIsSpecialisation<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool kIsStdArray = false;
template <class T, std::size_t N>
inline constexpr bool kIsStdArray<std::array<T, N>> = true;

template <class T>
inline constexpr bool kIsVectorOfBool = false;
template <class A>
inline constexpr bool kIsVectorOfBool<std::vector<bool, A>> = true;

template <class T>
concept ContainerLike = !std::is_aggregate_v<T> && requires(T& value, const T& constant) {
  typename T::value_type;
  constant.size();
  constant.begin() != constant.end();
  value.clear();
};

template <class T>
concept SequenceLike = ContainerLike<T> && requires(T& value) {
  value.emplace_back();
  value.back();
};

template <class T>
concept SetLike = ContainerLike<T> && requires(T& value, typename T::key_type key) {
  value.emplace_hint(value.end(), std::move(key));
};

template <class T>
concept MapLike = ContainerLike<T> && requires {
  typename T::key_type;
  typename T::mapped_type;
};

template <class T>
concept OwnerLike = requires(T& value) {
  typename T::element_type;
  typename T::deleter_type;
  value.reset(value.release());
  value.get_deleter();
};

template <class T>
concept DurationLike = requires(const T& value) {
  typename T::rep;
  typename T::period;
  { value.count() } -> std::same_as<typename T::rep>;
  T(value.count());
};

template <class T>
concept TimePointLike = requires(const T& value) {
  typename T::clock;
  { value.time_since_epoch() } -> std::same_as<typename T::duration>;
  T(value.time_since_epoch());
};

template <class T>
concept PathLike = requires(const T& value) {
  T::preferred_separator;
  { value.native() } -> std::same_as<const typename T::string_type&>;
  T(value.native());
};

template <class T>
constexpr Kind kind_of_number() {
  if constexpr (std::is_same_v<T, bool>) {
    return Kind::boolean;
  } else if constexpr (std::is_same_v<T, long double> && sizeof(T) == 16 &&
                       std::numeric_limits<T>::digits == 64) {
    return Kind::long_double;
  } else {
    return Kind::scalar;
  }
}

template <class T>
constexpr Kind kind_of_class() {
  if constexpr (std::is_polymorphic_v<T>) {
    return Kind::none;
  } else if constexpr (kIsSpecialisation<T, std::basic_string>) {
    return Kind::text;
  } else if constexpr (kIsVectorOfBool<T>) {
    return Kind::bits;
  } else if constexpr (kIsStdArray<T>) {
    return Kind::array;
  } else if constexpr (kIsSpecialisation<T, std::pair> || kIsSpecialisation<T, std::tuple>) {
    return Kind::tuple;
  } else if constexpr (kIsSpecialisation<T, std::optional>) {
    return Kind::optional;
  } else if constexpr (kIsSpecialisation<T, std::variant>) {
    return Kind::variant;
  } else if constexpr (PathLike<T>) {
    return Kind::path;
  } else if constexpr (SequenceLike<T>) {
    return Kind::sequence;
  } else if constexpr (MapLike<T>) {
    return Kind::map;
  } else if constexpr (SetLike<T>) {
    return Kind::set;
  } else if constexpr (OwnerLike<T>) {
    return Kind::owner;
  } else if constexpr (DurationLike<T>) {
    return Kind::duration;
  } else if constexpr (TimePointLike<T>) {
    return Kind::time_point;
  } else if constexpr (std::is_aggregate_v<T>) {
    return aggregate_fault<T>() == AggregateFault::none ? Kind::aggregate : Kind::none;
  } else {
    return Kind::none;
  }
}

template <class T>
constexpr Kind find_kind() {
  if constexpr (!std::is_object_v<T> || std::is_const_v<T> || std::is_volatile_v<T>) {
    return Kind::none;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return kind_of_number<T>();
  } else if constexpr (std::is_bounded_array_v<T>) {
    return Kind::array;
  } else if constexpr (!std::is_class_v<T> && !std::is_union_v<T> && !std::is_enum_v<T>) {
    return Kind::none;
  } else if constexpr (Hooked<T>) {
    return Kind::hooked;
  } else if constexpr (adl::HalfHooked<T>) {
    return Kind::none;
  } else if constexpr (std::is_enum_v<T>) {
    return kind_of_number<std::underlying_type_t<T>>();
  } else if constexpr (std::is_class_v<T>) {
    return kind_of_class<T>();
  } else {
    return Kind::none;
  }
}

template <class T>
inline constexpr Kind kKind = find_kind<T>();

}  // namespace procession::detail
