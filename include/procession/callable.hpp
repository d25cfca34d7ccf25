/// Callables that can be sent: what may be the target of a process or a task, an argument, or an
/// element of a queue.
///
///     int add(int a, int b);
///
///     add, &add                            a function, of the program or of a shared library
///     [](int x) { return x * x; }          a lambda without captures
///     [factor](int x) { return x * factor; }   with captures that are trivially copyable
///     mp::bind(add, 40)                    with arguments of any type that can be sent
///     mp::Function<int(int)>               holds any of these
///
/// A closure with other captures (a string, a vector) does not compile: pass them as arguments, or
/// use bind. One that captured a reference or a pointer is refused where it is submitted, with
/// `std::invalid_argument`, because the address means nothing in another process; a Process by
/// `fork` or `thread` keeps it.
///
/// A target is called with lvalues of the decoded arguments: parameters by value, `const&` and `&`
/// all bind. Arguments that only view their elements are kept and arrive as what owns them: text as
/// `std::string`; arrays, spans and lists in braces as `std::vector`.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "procession/codec.hpp"
#include "procession/detail/bind.hpp"
#include "procession/detail/call.hpp"
#include "procession/detail/callable_check.hpp"
#include "procession/detail/function_state.hpp"
#include "procession/detail/kept_target.hpp"
#include "procession/detail/stored.hpp"

namespace procession {

/// What can be sent and called in another process: see above. Whether it takes the arguments it is
/// given is checked where it is submitted.
template <class F>
concept Callable = detail::kIsCallable<std::decay_t<F>>;

/// A callable that calls `f` with `args` and then with what it is called with itself. The arguments
/// are copied now and encoded when it is sent, so they may be of any type that can be. They are
/// passed as lvalues. A bound callable among `args` is passed as it is, not called as `std::bind`
/// would. Throws what copying throws. Python: `functools.partial`.
template <class F, class... Args>
[[nodiscard]] auto bind(F&& f, Args&&... args) {
  using Target = std::decay_t<F>;
  if constexpr (detail::kIsCallable<Target> && (detail::Sendable<detail::Kept<Args>> && ...)) {
    return detail::Bound<Target, detail::Kept<Args>...>(
        std::forward<F>(f),
        std::tuple<detail::Kept<Args>...>(detail::store(std::forward<Args>(args))...));
  } else {
    detail::refuse_call<Target, detail::Kept<Args>...>();
  }
}

/// Any callable with this signature, or none. It can be called, copied, and sent: by itself, as an
/// argument, an element of a queue, a field of a struct, or the state of another Function.
///
/// As `std::function`: calling is `const` though the callable may change; distinct objects may be
/// used by distinct threads, one object by several only if its callable allows it. Copies are
/// independent of each other. No counterpart in Python, where every callable has the same type.
template <class R, class... Args>
class Function<R(Args...)> {
  template <class F>
  static constexpr bool kAccepts = !std::is_same_v<std::decay_t<F>, Function> &&
                                   std::is_invocable_r_v<R, std::decay_t<F>&, Args...>;

 public:
  using result_type = R;

  /// Holds nothing.
  Function() noexcept = default;
  Function(std::nullptr_t) noexcept {}  // NOLINT: implicit as in std::function

  /// Holds a copy of `f`; nothing when `f` is a null function pointer or an empty Function. Throws
  /// what copying throws, and `std::bad_alloc`.
  template <class F>
    requires kAccepts<F>
  Function(F&& f) {  // NOLINT
    using State = std::decay_t<F>;
    if constexpr (!detail::kIsCallable<State>) {
      detail::refuse_target<State>();
    } else {
      static_assert(std::is_copy_constructible_v<State>,
                    "procession: a Function holds only what can be copied");
      if (detail::is_null_callable<State>(f)) {
        return;
      }
      detail::make_state<State>(state_, [&]() -> F&& { return std::forward<F>(f); });
      record_ = &detail::FunctionOf<State, R, Args...>::record;
    }
  }

  Function(const Function& other) {
    if (other.record_ != nullptr) {
      other.record_->copy(other.state_, state_);
      record_ = other.record_;
    }
  }
  Function(Function&& other) noexcept { take(other); }
  Function& operator=(const Function& other) {
    if (this != &other) {
      *this = Function(other);
    }
    return *this;
  }
  Function& operator=(Function&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~Function() { reset(); }

  /// Whether it holds a callable.
  explicit operator bool() const noexcept { return record_ != nullptr; }

  /// Calls it. Throws what it throws; `std::bad_function_call` when there is none.
  R operator()(Args... args) const {
    if (record_ == nullptr) {
      detail::throw_empty_function();
    }
    return record_->call(state_, std::forward<Args>(args)...);
  }

  /// Whether a call is certain to change nothing in the callable: its one call operator is `const`.
  [[nodiscard]] bool is_unchanged_by_calls() const noexcept {
    return record_ == nullptr || record_->unchanged_by_calls;
  }

  /// Whether it holds nothing.
  bool operator==(std::nullptr_t) const noexcept { return record_ == nullptr; }

  /// Writes the name of the callable's type and its state. Notes captured addresses.
  template <std::same_as<Function> Self>  // and nothing that converts to a Function
  friend void encode(Encoder& encoder, const Self& function) {
    detail::encode_function_state(encoder, function.record_,
                                  function.record_ == nullptr ? nullptr : function.record_->encode,
                                  function.state_);
  }

  /// Reads a callable; its type is that of the one written. Throws `DecodeError`, and
  /// `ProcessError` when the program or library with its code is another one here.
  template <std::same_as<Function> Self>
  friend void decode(Decoder& decoder, Self& function) {
    function.reset();
    using Record = detail::FunctionRecord<R, Args...>;
    const auto* const record =
        static_cast<const Record*>(detail::decode_record(decoder, typeid(Record)));
    if (record != nullptr) {
      detail::decode_function_state(decoder, record->decode, record->destroy, function.state_);
      function.record_ = record;
    }
  }

 private:
  void take(Function& other) noexcept {
    if (other.record_ != nullptr) {
      other.record_->move(other.state_, state_);
      record_ = std::exchange(other.record_, nullptr);
    }
  }
  void reset() noexcept {
    if (record_ != nullptr) {
      std::exchange(record_, nullptr)->destroy(state_);
    }
  }

  const detail::FunctionRecord<R, Args...>* record_ = nullptr;
  mutable detail::FunctionState state_{};
};

template <class R, class... Args>
Function(R (*)(Args...)) -> Function<R(Args...)>;
template <class R, class... Args>
Function(R (*)(Args...) noexcept) -> Function<R(Args...)>;

/// Throws `std::invalid_argument` when a closure among what was encoded had captured an address of
/// this process; the text begins with `what` (`"cannot start a process by spawn"`).
void refuse_noted_address(const Encoder& encoder, std::string_view what);

}  // namespace procession
