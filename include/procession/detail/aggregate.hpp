#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "procession/detail/aggregate_bindings.hpp"
#include "procession/detail/aggregate_count.hpp"

// The fields of a plain aggregate, without any declaration by its author.
namespace procession::detail {

template <class... T>
struct TypeList {
  static constexpr std::size_t size = sizeof...(T);
};

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
  } else if constexpr (count_fields<T>() > kMaxFields) {
    return AggregateFault::too_many_fields;
  } else {
    return AggregateFault::none;
  }
}

/// The number of fields of an aggregate without fault.
template <class T>
inline constexpr std::size_t kFieldCount = count_fields<T>();

/// Calls `f` with references to all fields of an aggregate, in order.
template <class T, class F>
constexpr auto visit_fields(T& value, F&& f) {
  constexpr std::size_t kCount = kFieldCount<std::remove_const_t<T>>;
  if constexpr (kCount == 0) {
    // Another wrong number does not compile, since as many names are bound to the fields.
    static_assert(std::is_empty_v<T>, "procession cannot count the fields of this struct");
    return f();
  } else {
    return Bindings<kCount>::visit(value, std::forward<F>(f));
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
