#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "procession/detail/aggregate_bindings.hpp"

// The fields of a plain aggregate, found without any declaration by its author: how many
// initialisers it takes tells how many fields it has, and a structured binding of that many names
// reaches them.
namespace procession::detail {

template <class... T>
struct TypeList {
  static constexpr std::size_t size = sizeof...(T);
};

/// Stands for a field's initialiser, whatever its type.
struct AnyField {
  template <class T>
  operator T() const noexcept;  // NOLINT: implicit on purpose
};

/// The same for a field that is a reference to something modifiable.
struct AnyReference {
  template <class T>
  operator T&() const noexcept;  // NOLINT
};

/// Stands for the initialiser of a base class of `Of`.
template <class Of, bool Empty>
struct AnyBase {
  template <class T>
    requires(std::is_base_of_v<T, Of> && !std::is_same_v<T, Of> && std::is_empty_v<T> == Empty)
  operator T() const noexcept;  // NOLINT
};

template <std::size_t>
using AnyFieldAt = AnyField;

template <class T, std::size_t... I>
constexpr bool takes_fields(std::index_sequence<I...>) {
  return requires { T{AnyFieldAt<I>{}...}; };
}

template <class T, std::size_t... I>
constexpr bool takes_fields_and_reference(std::index_sequence<I...>) {
  return requires { T{AnyFieldAt<I>{}..., AnyReference{}}; };
}

/// Whether T can be initialised by `Before` fields, one in braces, and `After` more.
template <class T, std::size_t... Before, std::size_t... After>
constexpr bool takes_braced(std::index_sequence<Before...>, std::index_sequence<After...>) {
  return requires { T{AnyFieldAt<Before>{}..., {}, AnyFieldAt<After>{}...}; };
}

template <class T, bool Empty, std::size_t... Before>
constexpr bool takes_base(std::index_sequence<Before...>) {
  return requires { T{AnyFieldAt<Before>{}..., AnyBase<T, Empty>{}}; };
}

/// The most initialisers T takes. More than the fields where one of them is an array, whose braces
/// may be left out.
template <class T, std::size_t N = 0>
constexpr std::size_t initialisers() {
  if constexpr (takes_fields<T>(std::make_index_sequence<N + 1>{})) {
    return initialisers<T, N + 1>();
  } else {
    return N;
  }
}

/// How many initialisers belong to the field at initialiser `At`, out of `Total`: the size of an
/// array, else 1.
template <class T, std::size_t Total, std::size_t At, std::size_t Width = 1>
constexpr std::size_t width_of_field() {
  if constexpr (At + Width > Total) {
    return 1;
  } else if constexpr (takes_braced<T>(std::make_index_sequence<At>{},
                                       std::make_index_sequence<Total - At - Width>{})) {
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

/// How many empty base classes T has; each takes an initialiser and is no field.
template <class T, std::size_t N = 0>
constexpr std::size_t empty_bases() {
  if constexpr (takes_base<T, true>(std::make_index_sequence<N>{})) {
    return empty_bases<T, N + 1>();
  } else {
    return N;
  }
}

/// Why an aggregate's fields cannot be reached.
enum class AggregateFault { none, base_class, reference_or_const, too_many_fields };

template <class T>
constexpr AggregateFault aggregate_fault() {
  if constexpr (std::is_empty_v<T>) {
    return AggregateFault::none;
  } else if constexpr (!std::is_move_assignable_v<T>) {
    return AggregateFault::reference_or_const;
  } else if constexpr (takes_base<T, false>(std::make_index_sequence<empty_bases<T>()>{})) {
    return AggregateFault::base_class;
  } else if constexpr (takes_fields_and_reference<T>(
                           std::make_index_sequence<initialisers<T>()>{})) {
    return AggregateFault::reference_or_const;
  } else if constexpr (fields_from<T, initialisers<T>()>() - empty_bases<T>() > kMaxFields) {
    return AggregateFault::too_many_fields;
  } else {
    return AggregateFault::none;
  }
}

/// The number of fields of an aggregate without fault.
template <class T>
inline constexpr std::size_t kFieldCount = fields_from<T, initialisers<T>()>() - empty_bases<T>();
template <class T>
  requires std::is_empty_v<T>
inline constexpr std::size_t kFieldCount<T> = 0;

/// Calls `f` with references to all fields of an aggregate, in order.
template <class T, class F>
constexpr auto visit_fields(T& value, F&& f) {
  using Plain = std::remove_const_t<T>;
  if constexpr (kFieldCount<Plain> == 0) {
    return f();
  } else {
    return Bindings<kFieldCount<Plain>>::visit(value, std::forward<F>(f));
  }
}

struct ListTypes {
  template <class... F>
  constexpr TypeList<F...> operator()(F&...) const {
    return {};
  }
};

/// `TypeList` of the types of an aggregate's fields.
template <class T>
using FieldTypes = decltype(visit_fields(std::declval<T&>(), ListTypes{}));

}  // namespace procession::detail
