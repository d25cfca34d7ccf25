#pragma once

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "procession/detail/callable_check.hpp"
#include "procession/detail/codec_nesting.hpp"
#include "procession/detail/stored.hpp"

namespace procession::detail {

/// What procession::bind() returns: a callable with its first arguments.
///
/// Called, it passes lvalues of the bound arguments, then what it is called with. Copyable where
/// its parts are; safe to call from several threads where the callable is.
template <class F, class... T>
class Bound {
 public:
  Bound(F f, std::tuple<T...> arguments)
      : target_(std::move(f)), arguments_(std::move(arguments)) {}

  template <class... More>
    requires std::is_invocable_v<F&, T&..., More...>
  decltype(auto) operator()(More&&... more) {
    return call(target_, arguments_, std::index_sequence_for<T...>{}, std::forward<More>(more)...);
  }

  template <class... More>
    requires std::is_invocable_v<const F&, const T&..., More...>
  decltype(auto) operator()(More&&... more) const {
    return call(target_, arguments_, std::index_sequence_for<T...>{}, std::forward<More>(more)...);
  }

  void encode_to(Encoder& encoder) const {
    const Nesting nesting(encoder);
    encode_stored(encoder, target_);
    std::apply([&](const T&... argument) { (encode_stored(encoder, argument), ...); }, arguments_);
  }

  static Bound decode_from(Decoder& decoder) {
    const Nesting nesting(decoder);
    // In braces the order is that of writing, which is the order of the bytes.
    struct Parts {
      F target;
      std::tuple<T...> arguments;
    };
    Parts parts{decode_stored<F>(decoder), std::tuple<T...>{decode_stored<T>(decoder)...}};
    return Bound(std::move(parts.target), std::move(parts.arguments));
  }

 private:
  template <class Target, class Arguments, std::size_t... I, class... More>
  static decltype(auto) call(Target& target, Arguments& arguments, std::index_sequence<I...>,
                             More&&... more) {
    return std::invoke(target, std::get<I>(arguments)..., std::forward<More>(more)...);
  }

  F target_;
  std::tuple<T...> arguments_;
};

}  // namespace procession::detail
