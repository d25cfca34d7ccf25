#pragma once

#include <concepts>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// Any range as the std::vector in which the elements of a manager's container travel.
namespace procession::detail {

template <class T>
inline constexpr bool kIsPair = false;
template <class First, class Second>
inline constexpr bool kIsPair<std::pair<First, Second>> = true;

/// Whether a pair T can be made of the two parts of an E: of a tuple of two, for example, of which
/// C++20 makes no pair by itself.
template <class T, class E>
concept PairFrom = kIsPair<T> && requires(E&& element) {
  requires std::tuple_size<std::remove_cvref_t<E>>::value == 2;
  requires std::constructible_from<typename T::first_type,
                                   decltype(std::get<0>(std::forward<E>(element)))>;
  requires std::constructible_from<typename T::second_type,
                                   decltype(std::get<1>(std::forward<E>(element)))>;
};

template <class T, class E>
concept ElementFrom = std::constructible_from<T, E> || PairFrom<T, E>;

/// A range, of whatever kind, whose elements make a T: one that is read once only too, and the
/// proxy of a container.
template <class R, class T>
concept RangeOf = std::ranges::input_range<R> && ElementFrom<T, std::ranges::range_reference_t<R>>;

/// The same, but for a vector of them, which needs no collecting.
template <class R, class T>
concept OtherRangeOf = RangeOf<R, T> && !std::same_as<std::remove_cvref_t<R>, std::vector<T>>;

template <class T, class E>
T make_element(E&& element) {
  if constexpr (std::constructible_from<T, E>) {
    return T(std::forward<E>(element));
  } else {
    return T(std::get<0>(std::forward<E>(element)), std::get<1>(std::forward<E>(element)));
  }
}

/// All elements. A vector of them is taken as it is.
template <class T, RangeOf<T> R>
decltype(auto) collect(R&& range) {
  if constexpr (std::is_same_v<std::remove_cvref_t<R>, std::vector<T>>) {
    return static_cast<const std::vector<T>&>(range);
  } else {
    std::vector<T> all;
    // To ask a proxy how many there are is a call more.
    if constexpr (std::ranges::sized_range<R> && std::ranges::forward_range<R>) {
      all.reserve(static_cast<std::size_t>(std::ranges::size(range)));
    }
    for (auto&& element : range)
      all.push_back(make_element<T>(std::forward<decltype(element)>(element)));
    return all;
  }
}

}  // namespace procession::detail
