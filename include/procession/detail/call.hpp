#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "procession/detail/call_invoke.hpp"
#include "procession/detail/callable_check.hpp"
#include "procession/detail/code.hpp"
#include "procession/detail/stored.hpp"

// Calls as bytes: the state of the target, then the arguments; before them, where the receiver does
// not know the types, the name of the function that does (the entry).
namespace procession::detail {

[[noreturn]] void throw_null_target();

template <class F, class... T>
constexpr bool is_sendable_call() {
  if constexpr (kIsCallable<F> && (Sendable<T> && ...)) {
    return CallableWith<F, T...>;
  } else {
    return false;
  }
}

/// Whether `F` can be sent and called with `Args`.
template <class F, class... Args>
concept SendableCall = is_sendable_call<std::decay_t<F>, Kept<Args>...>();

/// The same, and where not stops the compilation with the line that says why.
template <class F, class... Args>
constexpr bool check_call() {
  if constexpr (!SendableCall<F, Args...>) {
    // Named, not called: a call here, in a constant expression, would be a second error.
    static_cast<void>(&refuse_call<std::decay_t<F>, Kept<Args>...>);
  }
  return SendableCall<F, Args...>;
}

/// Writes what decode_call() reads: `f`, then `args` as they are stored. Throws
/// `std::invalid_argument` for a null function; notes captured addresses (refuse_noted_address()).
template <class F, class... Args>
void encode_call(Encoder& encoder, const F& f, const Args&... args) {
  const std::decay_t<const F&>& target = f;
  if (is_null_callable<std::decay_t<const F&>>(target)) {
    throw_null_target();
  }
  encode_stored(encoder, target);
  (encode_argument(encoder, args), ...);
}

/// A decoded call.
template <class F, class... T>
struct Call {
  F target;
  std::tuple<T...> arguments;

  decltype(auto) operator()() { return invoke_stored(target, arguments); }
};

/// What is to be called, never a null pointer.
template <class F>
F decode_target(Decoder& decoder) {
  if constexpr (kIsFunctionPointer<F>) {
    F const target = decode_stored<F>(decoder);
    if (target == nullptr) throw_no_entry();
    return target;
  } else {
    return decode_stored<F>(decoder);
  }
}

/// The counterpart of encode_call(), `F` decayed and `T` the stored types of its arguments.
template <class F, class... T>
Call<F, T...> decode_call(Decoder& decoder) {
  return {decode_target<F>(decoder), std::tuple<T...>{decode_stored<T>(decoder)...}};
}

/// Decodes a call and makes it; the result is dropped, an exception passes through.
template <class F, class... T>
void run_call(Decoder& decoder) {
  Call<F, T...> call = decode_call<F, T...>(decoder);
  static_cast<void>(call());
}

template <class Returned>
struct KeptResult : KeptAs<Returned> {};
template <>
struct KeptResult<void> : std::type_identity<void> {};

template <class F, class... Args>
struct TaskResultOf : std::type_identity<void> {};
template <class F, class... Args>
  requires SendableCall<F, Args...>
struct TaskResultOf<F, Args...> : KeptResult<CallResult<std::decay_t<F>, Kept<Args>...>> {};

/// What a task's result is decoded as: void, or the type it is kept in. Void also for a call that
/// check_call() refuses, so that there is one error and not several.
template <class F, class... Args>
using TaskResult = typename TaskResultOf<F, Args...>::type;

/// check_call() and the same for the result.
template <class F, class... Args>
constexpr bool check_task() {
  using Result = TaskResult<F, Args...>;
  if constexpr (!check_call<F, Args...>()) {
    return false;
  } else if constexpr (std::is_void_v<Result>) {
    return true;
  } else {
    if constexpr (!Sendable<Result>) {
      static_cast<void>(&refuse_argument<Result>);
    }
    return Sendable<Result>;
  }
}

/// Writes a call that run_encoded_call() makes, in this or another process of the same images.
/// What cannot be sent or called is an error of one line at compile time. Throws as encode_call().
template <class F, class... Args>
void encode_process_call(Encoder& encoder, const F& f, const Args&... args) {
  if constexpr (check_call<const F&, const Args&...>()) {
    encode_entry<&run_call<std::decay_t<const F&>, Kept<const Args&>...>>(encoder);
    encode_call(encoder, f, args...);
  }
}

/// Makes the call. Throws what the target throws; what decode_function() does; `DecodeError`.
void run_encoded_call(Decoder& decoder);

}  // namespace procession::detail
