#pragma once

#include <type_traits>

// What `value += operand` and `value -= operand` do in C++, for values that are kept elsewhere.
namespace procession::detail {

template <class T, class U>
concept ArithmeticPair = std::is_arithmetic_v<T> && std::is_arithmetic_v<U>;

/// The type in which C++ adds and subtracts the two.
template <class T, class U>
using SumType = decltype(T() + U());

/// `old + more`, made a T. An operand of another type is not made a T before.
template <class T, class U>
constexpr T sum_of(const T& old, const U& more) {
  if constexpr (ArithmeticPair<T, U>) {
    using Sum = SumType<T, U>;
    return static_cast<T>(static_cast<Sum>(old) + static_cast<Sum>(more));
  } else {
    return static_cast<T>(old + more);
  }
}

/// The same of `old - less`.
template <class T, class U>
constexpr T difference_of(const T& old, const U& less) {
  if constexpr (ArithmeticPair<T, U>) {
    using Sum = SumType<T, U>;
    return static_cast<T>(static_cast<Sum>(old) - static_cast<Sum>(less));
  } else {
    return static_cast<T>(old - less);
  }
}

}  // namespace procession::detail
