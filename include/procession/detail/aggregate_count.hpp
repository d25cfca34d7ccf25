#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "procession/detail/aggregate_bindings.hpp"

// How many fields an aggregate has, told from the initialisers it takes.
//
// A pair of empty braces initialises any field, an array too, so the most pairs that T takes are
// its fields. Not so where a field cannot be made from empty braces, because its default
// constructor is explicit or there is none: the pairs end before it. Such a T is asked how many
// values it takes that convert to whatever is wanted: in parentheses, which leave the rest to
// default constructors, and do for all but arrays. Only for both in one struct are values in braces
// counted; there an array takes one for each of its elements.
namespace procession::detail {

/// Stands for the initialiser of a field of `Of`, whatever its type.
template <class Of>
struct AnyField {
  template <class T>
    requires(!std::is_same_v<T, Of>)
  operator T() const noexcept;  // NOLINT: implicit on purpose
};

/// Stands for the initialiser of a base class of `Of`.
template <class Of, bool Empty>
struct AnyBase {
  template <class T>
    requires(std::is_base_of_v<T, Of> && !std::is_same_v<T, Of> && std::is_empty_v<T> == Empty)
  operator T() const noexcept;  // NOLINT
};

template <class T, std::size_t>
using AnyFieldAt = AnyField<T>;

template <class T, std::size_t... I>
constexpr bool takes_in_parentheses(std::index_sequence<I...>) {
  return requires { T(AnyFieldAt<T, I>{}...); };
}

template <class T, std::size_t... I>
constexpr bool takes_in_braces(std::index_sequence<I...>) {
  return requires { T{AnyFieldAt<T, I>{}...}; };
}

/// Whether T can be initialised by `Before` values, one array, and `After` more.
template <class T, std::size_t... Before, std::size_t... Inside, std::size_t... After>
constexpr bool takes_array(std::index_sequence<Before...>, std::index_sequence<Inside...>,
                           std::index_sequence<After...>) {
  return requires {
    T{AnyFieldAt<T, Before>{}..., {AnyFieldAt<T, Inside>{}...}, AnyFieldAt<T, After>{}...};
  };
}

template <class T, bool Empty, std::size_t... Before>
constexpr bool takes_base(std::index_sequence<Before...>) {
  return requires { T(AnyFieldAt<T, Before>{}..., AnyBase<T, Empty>{}); };
}

/// How many empty base classes T has; each takes an initialiser and is no field.
template <class T, std::size_t N = 0>
constexpr std::size_t empty_bases() {
  if constexpr (takes_base<T, true>(std::make_index_sequence<N>{})) {
    return empty_bases<T, N + 1>();
  } else {
    return N;
  }
}

/// The most pairs of braces that T takes, up to one more than there may be fields.
template <class T, std::size_t N = kMaxFields + 1>
constexpr std::size_t most_braces() {
  if constexpr (N == 0) {
    return 0;
  } else if constexpr (Bindings<N>::template takes_braces<T>()) {
    return N;
  } else {
    return most_braces<T, N - 1>();
  }
}

/// Whether T takes one more value after the `N` pairs of braces that are the most that it takes: so
/// it has a field that cannot be made from braces, which its own initialiser makes else.
template <class T, std::size_t N>
constexpr bool takes_value_after_braces() {
  if constexpr (N == 0) {
    return true;  // no T here is empty
  } else if constexpr (N > kMaxFields) {
    return false;
  } else {
    return Bindings<N>::template takes_braces<T, AnyField<T>>();
  }
}

/// The most values that T takes in parentheses: its fields, up to the first array.
template <class T, std::size_t N = 0>
constexpr std::size_t most_in_parentheses() {
  if constexpr (N <= kMaxFields && takes_in_parentheses<T>(std::make_index_sequence<N + 1>{})) {
    return most_in_parentheses<T, N + 1>();
  } else {
    return N;
  }
}

/// No more elements of arrays are counted one by one.
inline constexpr std::size_t kMostElements = 300;

/// The most values that T takes in braces, not less than `Least`; 0 when it takes no such number,
/// or more than are counted. Asked from the top down: there are gaps where an array's elements have
/// to be made one by one.
template <class T, std::size_t Least, std::size_t N = kMostElements>
constexpr std::size_t most_in_braces() {
  if constexpr (N < Least) {
    return 0;
  } else if constexpr (takes_in_braces<T>(std::make_index_sequence<N>{})) {
    return N == kMostElements ? 0 : N;
  } else {
    return most_in_braces<T, Least, N - 1>();
  }
}

/// How many of `Total` values in braces belong to the field that begins at `At`: an array's size,
/// else 1. Braces around as many values as the array has elements leave room for exactly the rest.
template <class T, std::size_t Total, std::size_t At, std::size_t Width = 2>
constexpr std::size_t width_of_field() {
  if constexpr (At + Width > Total) {
    return 1;
  } else if constexpr (takes_array<T>(std::make_index_sequence<At>{},
                                      std::make_index_sequence<Width>{},
                                      std::make_index_sequence<Total - At - Width>{}) &&
                       !takes_array<T>(std::make_index_sequence<At>{},
                                       std::make_index_sequence<Width>{},
                                       std::make_index_sequence<Total - At - Width + 1>{})) {
    return Width;
  } else {
    return width_of_field<T, Total, At, Width + 1>();
  }
}

template <class T, std::size_t Total, std::size_t At = 0>
constexpr std::size_t fields_from() {
  if constexpr (At >= Total) {
    return 0;
  } else {
    return 1 + fields_from<T, Total, At + width_of_field<T, Total, At>()>();
  }
}

/// The initialisers of T, told from the values that it takes.
template <class T>
constexpr std::size_t count_by_values() {
  constexpr std::size_t most = most_in_parentheses<T>();
  constexpr std::size_t more = most <= kMaxFields ? most_in_braces<T, most + 1>() : 0;
  return more == 0 ? most : fields_from<T, more>();
}

/// The fields of T, at most one more than there may be.
template <class T>
constexpr std::size_t count_fields() {
  if constexpr (std::is_empty_v<T>) {
    return 0;
  } else if constexpr (requires { T{}; }) {
    constexpr std::size_t braces = most_braces<T>();
    if constexpr (takes_value_after_braces<T, braces>()) {
      return count_by_values<T>() - empty_bases<T>();
    } else {
      return braces - empty_bases<T>();
    }
  } else {
    return count_by_values<T>() - empty_bases<T>();
  }
}

}  // namespace procession::detail
