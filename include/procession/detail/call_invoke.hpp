#pragma once

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

// Invoking a target with decoded arguments: lvalues, so that parameters by value, `const&` and `&`
// all bind; an argument is moved only where its lvalue does not bind (a `std::unique_ptr` by
// value).
namespace procession::detail {

/// The argument at `I` as it is passed: bit `I` of `kMoved` says whether it is moved.
template <std::size_t kMoved, std::size_t I, class T>
using Passed = std::conditional_t<((kMoved >> I) & 1) != 0, T&&, T&>;

template <std::size_t kMoved, class F, class Indices, class... T>
inline constexpr bool kTakes = false;
template <std::size_t kMoved, class F, std::size_t... I, class... T>
inline constexpr bool kTakes<kMoved, F, std::index_sequence<I...>, T...> =
    std::is_invocable_v<F&, Passed<kMoved, I, T>...>;

inline constexpr std::size_t kNoWay = ~std::size_t{0};

/// The bits of arguments that cannot be copied: the likely ones to be moved.
template <class... T>
constexpr std::size_t move_only_bits() {
  std::size_t bits = 0;
  std::size_t bit = 1;
  ((bits |= std::is_copy_constructible_v<T> ? 0 : bit, bit <<= 1), ...);
  return bits;
}

template <std::size_t kMoved, std::size_t kEnd, class F, class... T>
constexpr std::size_t search_way() {
  if constexpr (kMoved >= kEnd) {
    return kNoWay;
  } else if constexpr (kTakes<kMoved, F, std::index_sequence_for<T...>, T...>) {
    return kMoved;
  } else {
    return search_way<kMoved + 1, kEnd, F, T...>();
  }
}

/// Which arguments to move, none if that is possible; kNoWay when F takes them in no way.
template <class F, class... T>
constexpr std::size_t find_way() {
  constexpr std::size_t kMoveOnly = move_only_bits<T...>();
  if constexpr (kTakes<0, F, std::index_sequence_for<T...>, T...>) {
    return 0;
  } else if constexpr (kTakes<kMoveOnly, F, std::index_sequence_for<T...>, T...>) {
    return kMoveOnly;
  } else {
    // With more arguments than this the search would take the compiler too long.
    constexpr std::size_t kSearched = sizeof...(T) <= 6 ? sizeof...(T) : 0;
    return search_way<0, std::size_t{1} << kSearched, F, T...>();
  }
}

template <class F, class... T>
inline constexpr std::size_t kWay = find_way<F, T...>();

/// Whether F can be called with decoded arguments of these types.
template <class F, class... T>
concept CallableWith = kWay<F, T...> != kNoWay;

template <class F, class... T, std::size_t... I>
decltype(auto) invoke_stored(F& target, std::tuple<T...>& arguments, std::index_sequence<I...>) {
  return std::invoke(target, static_cast<Passed<kWay<F, T...>, I, T>>(std::get<I>(arguments))...);
}

/// Calls `target`; returns and throws what it does.
template <class F, class... T>
  requires CallableWith<F, T...>
decltype(auto) invoke_stored(F& target, std::tuple<T...>& arguments) {
  return invoke_stored(target, arguments, std::index_sequence_for<T...>{});
}

/// What that call returns.
template <class F, class... T>
using CallResult = decltype(invoke_stored(std::declval<F&>(), std::declval<std::tuple<T...>&>()));

}  // namespace procession::detail
