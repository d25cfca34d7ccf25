#pragma once

#include <type_traits>

#include "procession/detail/codec_refusal.hpp"
#include "procession/detail/stored.hpp"

namespace procession {

template <class Signature>
class Function;

/// Never defined: its use is an error, and g++'s line shows the reason, the target and the types of
/// the arguments.
template <because Reason, class Target, class... Arguments>
struct cannot_be_called;

/// Never true: clang's line about a false assertion shows it and its arguments.
template <class Target, class... Arguments>
concept can_be_called = false;

}  // namespace procession

// The compile-time checks of targets and arguments; each failure is one readable line.
namespace procession::detail {

/// Whether a decayed type is a callable that can be sent.
template <class F>
inline constexpr bool kIsCallable =
    PlainCallable<F> || SelfDecoding<F> || (has_call_operator<F>() && Encodable<F>);

// As PROCESSION_REFUSE in codec_refusal.hpp.
#ifdef __clang__
#define PROCESSION_REFUSE_CALL(why) static_assert(can_be_called<Target, Arguments...>, why)
#else
#define PROCESSION_REFUSE_CALL(why) \
  static_cast<void>(sizeof(cannot_be_called<why, Target, Arguments...>))
#endif

/// Stops the compilation with the line about a target that cannot be one, or not with these
/// arguments.
template <class Target, class... Arguments>
void refuse_target() {
  if constexpr (kIsCallable<Target>) {
    PROCESSION_REFUSE_CALL(
        "the target does not take these arguments, in this order and as lvalues (text arrives as "
        "std::string; spans, arrays and lists arrive as std::vector)");
  } else if constexpr (std::is_member_pointer_v<Target>) {
    PROCESSION_REFUSE_CALL(
        "a pointer to a member is no target: put the call into a lambda, "
        "[](Type& object) { return object.member(); }");
  } else if constexpr (!has_call_operator<Target>()) {
    PROCESSION_REFUSE_CALL(
        "a target is a function, a lambda, an object with a call operator, procession::bind(...) "
        "or "
        "a procession::Function");
  } else if constexpr (std::is_polymorphic_v<Target>) {
    PROCESSION_REFUSE_CALL(
        "a function object with virtual functions cannot be sent: use a lambda, and pass what it "
        "needs as arguments");
  } else {
    PROCESSION_REFUSE_CALL(
        "a closure is sent when its captures are trivially copyable: pass the others as arguments "
        "or "
        "use procession::bind (in place of std::function: procession::Function)");
  }
}

#undef PROCESSION_REFUSE_CALL

/// Stops the compilation if values of the type, as it is kept, cannot be sent.
template <class T>
void refuse_argument() {
  if constexpr (Sendable<T>) {
    return;
  } else if constexpr (has_call_operator<T>() || std::is_member_pointer_v<T>) {
    refuse_target<T>();
  } else {
    refuse<T>();
  }
}

/// Stops the compilation for what is wrong with a call: the target, else its arguments, else that
/// the two do not fit.
template <class Target, class... Arguments>
void refuse_call() {
  if constexpr (!kIsCallable<Target>) {
    refuse_target<Target>();
  } else if constexpr (!(Sendable<Arguments> && ...)) {
    (refuse_argument<Arguments>(), ...);
  } else {
    refuse_target<Target, Arguments...>();
  }
}

template <class F>
inline constexpr bool kIsFunction = false;
template <class Signature>
inline constexpr bool kIsFunction<Function<Signature>> = true;

/// Whether there is nothing to call: a null function pointer or an empty Function.
template <class F>
bool is_null_callable([[maybe_unused]] const F& callable) {
  if constexpr (kIsFunctionPointer<F> || kIsFunction<F>) {
    return callable == nullptr;
  } else {
    return false;
  }
}

}  // namespace procession::detail
