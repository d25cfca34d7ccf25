#pragma once

#include <cstddef>
#include <type_traits>

#include "procession/detail/bind.hpp"
#include "procession/detail/call.hpp"
#include "procession/detail/call_invoke.hpp"
#include "procession/detail/callable_check.hpp"
#include "procession/detail/callable_traits.hpp"

// Functions of jobs that a worker decodes once and calls for many tasks. Only what a call does not
// change may be kept, because no task is to see what another one has left: what is called through
// `const`.
namespace procession::detail {

/// The decoded function of a job, from one of its tasks to the next. Belongs to one worker.
class KeptTarget {
 public:
  KeptTarget(const KeptTarget&) = delete;
  KeptTarget& operator=(const KeptTarget&) = delete;
  virtual ~KeptTarget() = default;

  /// Whether it has memory or handles that are to be given back soon after the job has ended.
  [[nodiscard]] bool is_heavy() const { return heavy_; }

 protected:
  explicit KeptTarget(bool heavy) : heavy_(heavy) {}

 private:
  const bool heavy_;
};

template <class F>
struct KeptTargetOf final : KeptTarget {
  static constexpr std::size_t kLight = 4096;  // bytes

  /// Decodes it. Throws what decode_target() does.
  explicit KeptTargetOf(Decoder& call)
      : KeptTarget(!std::is_trivially_destructible_v<F> || sizeof(F) > kLight),
        target(decode_target<F>(call)) {}

  const F target;
};

/// Whether a Function is bound, whose calls are `const` whatever it holds.
template <class F>
inline constexpr bool kBindsFunction = false;
template <class F, class... T>
inline constexpr bool kBindsFunction<Bound<F, T...>> =
    ((kIsFunction<F> || kBindsFunction<F>) || ... || (kIsFunction<T> || kBindsFunction<T>));

template <class F, class... T>
constexpr bool is_called_through_const() {
  if constexpr (!kBindsFunction<F> && CallableWith<const F, T...>) {
    return std::is_same_v<CallResult<const F, T...>, CallResult<F, T...>>;
  } else {
    return false;
  }
}

/// Whether calls of an F with decoded arguments of these types are made through `const`.
template <class F, class... T>
inline constexpr bool kCalledThroughConst = is_called_through_const<F, T...>();

/// Whether a call changes nothing in this one, whose type is called through `const`: what a
/// Function holds need not be.
template <class F>
bool is_unchanged_by_calls(const F& target) {
  if constexpr (kIsFunction<F>) {
    return target.is_unchanged_by_calls();
  } else {
    return true;
  }
}

template <class F>
inline constexpr bool kIsConstOperator = false;
template <class R, class C, class... A>
inline constexpr bool kIsConstOperator<R (C::*)(A...) const> = true;
template <class R, class C, class... A>
inline constexpr bool kIsConstOperator<R (C::*)(A...) const noexcept> = true;

/// Whether the only call operator that F has, if it is no template, is `const`.
template <class F>
constexpr bool has_one_const_operator() {
  if constexpr (requires { &F::operator(); }) {
    return kIsConstOperator<decltype(&F::operator())>;
  } else {
    return false;
  }
}

/// Whether to call an F that is not `const` changes nothing in it, as far as its type tells.
template <class F>
inline constexpr bool kNeverChanges =
    !kIsFunction<F> && (kIsFunctionPointer<F> || has_one_const_operator<F>());
template <class F, class... T>
inline constexpr bool kNeverChanges<Bound<F, T...>> =
    kNeverChanges<F> && !kBindsFunction<Bound<F, T...>>;

}  // namespace procession::detail
