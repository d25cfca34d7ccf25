#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "procession/detail/call.hpp"
#include "procession/detail/fingerprint.hpp"

namespace procession {

/// Whether a manager calls the methods of one T side by side. Specialise it to be true for a class
/// that sees to its own thread safety; of others one call at a time runs. No counterpart in Python,
/// where all of them run side by side.
///
///     template <> inline constexpr bool procession::concurrent_calls<Cache> = true;
template <class T>
inline constexpr bool concurrent_calls = false;

}  // namespace procession

// Objects that a manager's server has, and the functions by which it makes and calls them: one for
// each class or method, named to the server as targets of tasks are.
namespace procession::detail {

/// By which a proxy tells that its object is a T. Of the name: T need not be complete here.
template <class T>
constexpr std::uint64_t served_fingerprint() {
  return Fingerprint::of(type_name<T>(), 0);
}

/// An object of any type in a server. What the calls of one do to another is their own affair.
class Served {
 public:
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  virtual ~Served() = default;

  [[nodiscard]] std::uint64_t fingerprint() const noexcept { return fingerprint_; }
  [[nodiscard]] std::string_view type() const noexcept { return type_; }
  /// For the length of a call, unless calls run side by side.
  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }

  /// The object. Throws TypeMismatch when it is no T.
  template <class T>
  [[nodiscard]] T& as() {
    if (fingerprint_ != served_fingerprint<T>()) {
      throw_type_mismatch(type_name<T>(), fingerprint_, type_);
    }
    return *static_cast<T*>(address_);
  }

 protected:
  Served(void* address, std::uint64_t fingerprint, std::string_view type) noexcept
      : address_(address), fingerprint_(fingerprint), type_(type) {}

 private:
  void* address_;
  std::uint64_t fingerprint_;
  std::string_view type_;
  std::mutex mutex_;
};

template <class T>
class ServedAs final : public Served {
 public:
  template <class... Args>
  explicit ServedAs(Args&&... args)
      : Served(&object_, served_fingerprint<T>(), type_name<T>()),
        object_(std::forward<Args>(args)...) {}

 private:
  T object_;
};

using ServedPtr = std::shared_ptr<Served>;

/// The function that calls one method: takes the arguments out of the one, and writes the result to
/// the other.
using ServedCall = void(Served& object, Decoder& arguments, Encoder& result);
/// The function that makes an object.
using ServedMake = ServedPtr(Decoder& arguments);

/// Throws, what ends the call without a word, unless whoever asked for the call that this thread
/// runs is still there. To be called when all is there that the call needs, the mutex above all,
/// and just before it has an effect. So a call of a client that was killed never has an effect that
/// comes after somebody could have seen that it had none: who calls the object later waits for the
/// same mutex, and knew of no death when this was asked.
void expect_caller();

/// What the calls of a T hold.
template <class T>
class CallScope {
 public:
  explicit CallScope(Served& object) : guard_(object.mutex()) {}

 private:
  std::lock_guard<std::mutex> guard_;
};
template <class T>
  requires concurrent_calls<T>
class CallScope<T> {
 public:
  explicit CallScope(Served& /*object*/) {}
};

/// A method of an object, as a target.
template <auto kMethod, class T>
struct MethodOf {
  T& object;

  template <class... Args>
    requires std::is_invocable_v<decltype(kMethod), T&, Args...>
  decltype(auto) operator()(Args&&... args) {
    return std::invoke(kMethod, object, std::forward<Args>(args)...);
  }
};

/// `Args` as they arrive.
template <auto kMethod, class T, class... Args>
void serve_call(Served& served, Decoder& in, Encoder& out) {
  MethodOf<kMethod, T> target{served.as<T>()};
  std::tuple<Args...> arguments{decode_stored<Args>(in)...};
  in.expect_end();
  const CallScope<T> scope(served);
  expect_caller();
  if constexpr (std::is_void_v<CallResult<MethodOf<kMethod, T>, Args...>>) {
    invoke_stored(target, arguments);
  } else {
    encode_argument(out, invoke_stored(target, arguments));
  }
}

template <class T, class... Args>
ServedPtr serve_make(Decoder& in) {
  std::tuple<Args...> arguments{decode_stored<Args>(in)...};
  in.expect_end();
  expect_caller();
  return std::apply(
      [](auto&... args) -> ServedPtr { return std::make_shared<ServedAs<T>>(std::move(args)...); },
      arguments);
}

/// What calling the method gives, and what that is kept in. void also where it cannot be called.
template <auto kMethod, class T, class... Args>
struct MethodResultOf : std::type_identity<void> {};
template <auto kMethod, class T, class... Args>
  requires CallableWith<MethodOf<kMethod, T>, Args...>
struct MethodResultOf<kMethod, T, Args...> : KeptResult<CallResult<MethodOf<kMethod, T>, Args...>> {
};

template <auto kMethod, class T, class... Args>
using MethodResult = typename MethodResultOf<kMethod, T, Kept<const Args&>...>::type;

template <class R>
inline constexpr bool kSendableResult = std::is_void_v<R>;
template <Sendable R>
inline constexpr bool kSendableResult<R> = true;

}  // namespace procession::detail
