#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <tuple>
#include <type_traits>

#include "procession/detail/aggregate.hpp"
#include "procession/detail/call.hpp"
#include "procession/detail/count_of.hpp"
#include "procession/detail/pool_core.hpp"
#include "procession/detail/task_run.hpp"

// How the elements of a range become the arguments of a function: one each (map), or as many as
// each element has parts (starmap).
namespace procession::detail {

/// The call of a function with arguments that are kept as `T`, once for each element.
template <class F, class Kinds>
struct EachCall;
template <class F, class... T>
struct EachCall<F, TypeList<T...>> {
  using Result = TaskResult<const F&, T...>;
  static constexpr bool check() { return check_task<const F&, T...>(); }

  /// The start of a job: the function, and what runs it for each element of a chunk.
  static void encode(TaskBuilder& call, const F& f) {
    encode_entry<&run_each<std::decay_t<const F&>, T...>>(call);
    encode_call(call, f);
  }
  /// The same where the outcome of each element is to be had by itself.
  static void encode_for_outcomes(TaskBuilder& call, const F& f) {
    encode_entry<&run_outcomes<std::decay_t<const F&>, T...>>(call);
    encode_call(call, f);
  }
};

/// Each element is an argument.
struct WholeElements {
  template <class Reference>
  using Kinds = TypeList<Kept<Reference>>;

  template <class T>
  static void encode(Encoder& encoder, const T& element) {
    encode_argument(encoder, element);
  }
};

template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; };

/// Into how many parts structured bindings take a T.
template <class T>
constexpr std::size_t count_parts() {
  if constexpr (TupleLike<T>) {
    return std::tuple_size<T>::value;
  } else {
    static_assert(std::is_aggregate_v<T>,
                  "starmap takes tuples, pairs, arrays and plain structs, whose parts become the "
                  "arguments; for elements that are one argument each use map");
    return kFieldCount<T>;
  }
}

/// The parts of each element are the arguments.
struct SplitElements {
  template <class T, class F>
  static constexpr auto visit(T& element, F&& f) {
    constexpr std::size_t kArity = count_parts<std::remove_const_t<T>>();
    if constexpr (kArity == 0) {
      return f();
    } else {
      return Bindings<kArity>::visit(element, std::forward<F>(f));
    }
  }

  struct KeptKinds {
    template <class... Part>
    constexpr TypeList<Kept<Part>...> operator()(Part&...) const {
      return {};
    }
  };
  template <class Reference>
  using Kinds = decltype(visit(std::declval<std::remove_reference_t<Reference>&>(), KeptKinds{}));

  template <class T>
  static void encode(Encoder& encoder, const T& element) {
    visit(element, [&](const auto&... parts) { (encode_argument(encoder, parts), ...); });
  }
};

/// Writes `count` elements from `element` on, which it moves behind them. They are to be divided
/// into chunks of `chunksize`, 0: anywhere.
template <class How, class Iterator>
void encode_elements(TaskBuilder& encoder, Iterator& element, std::size_t count,
                     std::size_t chunksize) {
  using Element = std::iter_value_t<Iterator>;
  if constexpr (std::is_same_v<How, WholeElements> && kBitwise<Element> &&
                std::is_same_v<Kept<std::iter_reference_t<Iterator>>, Element>) {
    encoder.set_stride(sizeof(Element));
    if constexpr (std::contiguous_iterator<Iterator>) {
      encoder.write(std::to_address(element), count * sizeof(Element));
      element += static_cast<std::iter_difference_t<Iterator>>(count);
    } else {
      for (std::size_t i = 0; i < count; ++i, ++element) {
        How::encode(encoder, *element);
      }
    }
  } else {
    const std::size_t grain = encoder.set_grain(count, chunksize);
    for (std::size_t i = 0; i < count; ++i, ++element) {
      if (i % grain == 0) {
        encoder.mark();
      }
      How::encode(encoder, *element);
    }
  }
}

}  // namespace procession::detail
