#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "procession/detail/remote_call.hpp"
#include "procession/detail/served.hpp"

// What a server lets other programs call, and the functions that do it.
namespace procession::detail {

/// A function that other programs can call: of the arguments that `arguments` says.
template <class F>
struct Registered {
  std::string name;
  TypeMark arguments;
  TypeMark result;
  std::function<F> call;
};

/// How an object of any type is found again: calls of one must not overlap, however often it is
/// given out.
using WrapServed = ServedPtr(std::shared_ptr<void> object);

/// What a registered function gives: a value, which it has written, or an object.
struct Given {
  std::shared_ptr<void> object;
  std::uint64_t fingerprint = 0;  ///< of the object's type; 0: it is a value
  WrapServed* wrap = nullptr;
};

using RegisteredMethod = Registered<ServedCall>;
using RegisteredMaker = Registered<ServedMake>;
using RegisteredFunction = Registered<Given(Decoder& arguments, Encoder& result)>;

struct RegisteredType {
  std::string name;
  std::uint64_t fingerprint;
  std::string_view type;
  std::vector<RegisteredMaker> makers;
  std::vector<RegisteredMethod> methods;
};

/// An object that somebody else owns, or shares.
template <class T>
class ServedShare final : public Served {
 public:
  explicit ServedShare(std::shared_ptr<T> object)
      : Served(object.get(), served_fingerprint<T>(), type_name<T>()), object_(std::move(object)) {}

  static ServedPtr wrap(std::shared_ptr<void> object) {
    return std::make_shared<ServedShare>(std::static_pointer_cast<T>(std::move(object)));
  }

 private:
  std::shared_ptr<T> object_;
};

/// Arguments and result of a method, of a T or of a class that it derives from.
template <class Signature>
struct SignatureOf;
template <class R, class... P>
struct SignatureOf<R(P...)> {
  using Result = typename KeptResult<R>::type;
  static constexpr TypeMark arguments() { return mark_of<std::tuple<Kept<P>...>>(); }
  static constexpr TypeMark result() { return mark_of<Result>(); }
  static constexpr bool is_encodable() {
    if constexpr ((Encodable<Kept<P>> && ...)) {
      return std::is_void_v<Result> || Encodable<Result>;
    } else {
      return false;
    }
  }
  template <auto kMethod, class T>
  static constexpr ServedCall* entry = &serve_call<kMethod, T, Kept<P>...>;
};

template <class Method>
struct MethodSignature;
template <class R, class C, class... P>
struct MethodSignature<R (C::*)(P...)> : SignatureOf<R(P...)> {};
template <class R, class C, class... P>
struct MethodSignature<R (C::*)(P...) const> : SignatureOf<R(P...)> {};
template <class R, class C, class... P>
struct MethodSignature<R (C::*)(P...) noexcept> : SignatureOf<R(P...)> {};
template <class R, class C, class... P>
struct MethodSignature<R (C::*)(P...) const noexcept> : SignatureOf<R(P...)> {};
template <class R, class Object, class... P>
struct MethodSignature<R (*)(Object&, P...)> : SignatureOf<R(P...)> {};
template <class R, class Object, class... P>
struct MethodSignature<R (*)(Object&, P...) noexcept> : SignatureOf<R(P...)> {};

template <auto kMethod, class T>
RegisteredMethod register_method(std::string name) {
  using Signature = MethodSignature<decltype(kMethod)>;
  static_assert(Signature::is_encodable(),
                "procession: an argument or the result of this method cannot be sent to another "
                "program; see codec.hpp");
  return {std::move(name), Signature::arguments(), Signature::result(),
          Signature::template entry<kMethod, T>};
}

template <class T, class... Args>
RegisteredMaker register_maker() {
  static_assert(std::is_constructible_v<T, Args...>,
                "procession: the class has no constructor that takes these arguments");
  return {{}, mark_of<std::tuple<Args...>>(), {}, &serve_make<T, Args...>};
}

template <class R>
inline constexpr bool kIsShared = false;
template <class T>
inline constexpr bool kIsShared<std::shared_ptr<T>> = true;

/// What `f` gives for arguments that arrive as `Args`.
template <class R, class F, class... Args>
Given call_registered(F& f, Decoder& in, Encoder& out) {
  std::tuple<Args...> arguments{decode_stored<Args>(in)...};
  in.expect_end();
  expect_caller();
  if constexpr (kIsShared<std::remove_cvref_t<R>>) {
    using T = typename std::remove_cvref_t<R>::element_type;
    return {std::apply(f, arguments), served_fingerprint<T>(), &ServedShare<T>::wrap};
  } else if constexpr (std::is_lvalue_reference_v<R> &&
                       !std::is_const_v<std::remove_reference_t<R>>) {
    using T = std::remove_reference_t<R>;
    // Its owner sees to it that it lives.
    std::shared_ptr<T> object(std::shared_ptr<void>(), std::addressof(std::apply(f, arguments)));
    return {std::move(object), served_fingerprint<T>(), &ServedShare<T>::wrap};
  } else if constexpr (std::is_void_v<R>) {
    std::apply(f, arguments);
    return {};
  } else {
    encode_argument(out, std::apply(f, arguments));
    return {};
  }
}

/// The value that a function gives which is declared to give an R; void: none, or an object.
template <class R>
struct GivenValue : std::type_identity<Kept<R>> {};
template <class R>
  requires(kIsShared<std::remove_cvref_t<R>> || std::is_void_v<R> ||
           (std::is_lvalue_reference_v<R> && !std::is_const_v<std::remove_reference_t<R>>))
struct GivenValue<R> : std::type_identity<void> {};

template <class R, class... P, class F>
RegisteredFunction register_function(std::string name, F f, std::function<R(P...)>*) {
  using Value = typename GivenValue<R>::type;
  if constexpr (check_encodable<Kept<P>..., Value>()) {
    return {std::move(name), mark_of<std::tuple<Kept<P>...>>(), mark_of<Value>(),
            [f = std::move(f)](Decoder& in, Encoder& out) mutable {
              return call_registered<R, F, Kept<P>...>(f, in, out);
            }};
  }
}

}  // namespace procession::detail
