#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "procession/detail/arithmetic.hpp"
#include "procession/detail/copy_guard.hpp"
#include "procession/detail/element_shape.hpp"
#include "procession/lock.hpp"

namespace procession {

namespace detail {

/// What Value does with the bytes of a T.
class ValueCore {
 public:
  ValueCore(ElementShape shape, std::uint64_t fingerprint, const void* initial);

  void encode(Encoder& encoder) const { handle_.encode(encoder, kWhat); }
  void decode(Decoder& decoder, std::uint64_t fingerprint);
  [[nodiscard]] RLock lock() const;
  /// Where the T lies, for ever.
  [[nodiscard]] void* place() const;

  /// The lock, for a scope. What a process that was killed in the middle of a change had begun is
  /// undone first.
  class Guard {
   public:
    explicit Guard(const ValueCore& value);
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard();

    [[nodiscard]] const void* place() const { return place_; }
    /// Replaces the bytes, so that a death in between leaves the old ones.
    void replace(const void* bytes);

   private:
    void* object_;
    void* place_;
  };

 private:
  static constexpr const char* kWhat = "a Value";

  void find();

  Handle handle_;
  void* place_ = nullptr;
};

}  // namespace detail

/// A T that processes share, with a lock of its own.
///
///     mp::Value<long> total(0);
///     total += 5;                                   // one step, whoever else counts
///     total.update([](long t) { return t * 2; });
///
/// A process that is killed in the middle of a change leaves the value as it was before; one that
/// writes past an end of `unsynchronized()` does what one does that writes past an end of an Array,
/// see there. A handle;
/// every member may be called from any thread of any process, and takes the lock, which whoever has
/// `get_lock()` has already. Python: `multiprocessing.Value`.
template <class T>
class Value {
  static_assert(std::is_trivially_copyable_v<T>,
                "procession::Value<T> keeps the bytes of a T in shared memory: T must be trivially "
                "copyable (no std::string, no pointer to what other processes do not have)");
  static_assert(alignof(T) <= detail::kMostAlignment,
                "procession::Value<T> keeps a T in memory that lies at another page in each "
                "process: T may be aligned to a page, 4096 bytes, and to no more");

 public:
  /// A new value, there before any process sees it. Throws `OutOfMemory`.
  explicit Value(const T& initial = T())
      : core_({sizeof(T), alignof(T)}, fingerprint(), static_cast<const void*>(&initial)) {}

  /// The value at this moment.
  [[nodiscard]] T value() const {
    const detail::ValueCore::Guard guard(core_);
    return read(guard);
  }
  /// Replaces it.
  void set_value(const T& value) const {
    detail::ValueCore::Guard guard(core_);
    guard.replace(&value);
  }

  /// Replaces the value by `f(value)`, or, where `f` takes a T& and returns nothing, by what `f`
  /// made of it; returns the new value. Nothing changes when `f` throws. `f` must not wait for this
  /// value in another process. A copy of this process that `f` makes, by fork() say, is to end in
  /// `f`: one that returns from it ends there, with a message and exit status 70.
  template <class F>
  T update(F f) const {
    return change([&](T& next) {
      const detail::CopyGuard guard("the function that Value::update called");
      if constexpr (std::is_void_v<std::invoke_result_t<F&, T&>>) {
        f(next);
      } else {
        next = f(next);
      }
    });
  }

  /// Each of these is one step, and does to the T what the operator does in C++. They return the
  /// new value.
  T operator+=(const T& other) const {
    return step([&](const T& old) { return detail::sum_of(old, other); });
  }
  /// The same.
  T operator-=(const T& other) const {
    return step([&](const T& old) { return detail::difference_of(old, other); });
  }
  /// The same with a number of another type, which is not made a T before: 2 plus 1.5 gives 3 in an
  /// `int`, and -3 plus 2.5 gives 0.
  template <class U>
    requires detail::ArithmeticPair<T, U>
  T operator+=(const U& other) const {
    return step([&](const T& old) { return detail::sum_of(old, other); });
  }
  /// The same.
  template <class U>
    requires detail::ArithmeticPair<T, U>
  T operator-=(const U& other) const {
    return step([&](const T& old) { return detail::difference_of(old, other); });
  }
  /// Adds or takes 1: a bool, for which C++ has these no more, does what it does with `+= 1`.
  T operator++() const { return *this += T(1); }
  /// The same.
  T operator--() const { return *this -= T(1); }
  /// The same; these two return the old value.
  T operator++(int) const {
    return exchange([](const T& old) { return static_cast<T>(old + T(1)); });
  }
  /// The same.
  T operator--(int) const {
    return exchange([](const T& old) { return static_cast<T>(old - T(1)); });
  }

  /// The lock that every member takes, to make one step of several:
  /// `const mp::RLock lock = total.get_lock(); const std::scoped_lock guard(lock);`
  [[nodiscard]] RLock get_lock() const { return core_.lock(); }
  /// The T itself, without any lock. Lives as long as a handle does. Python: `RawValue`.
  [[nodiscard]] T& unsynchronized() const { return *static_cast<T*>(core_.place()); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Value& value) { value.core_.encode(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, Value& value) { value.core_.decode(decoder, fingerprint()); }

 private:
  static constexpr std::uint64_t fingerprint() {
    return detail::Fingerprint::of(type_name<T>(), sizeof(T));
  }
  static T read(const detail::ValueCore::Guard& guard) {
    return *static_cast<const T*>(guard.place());
  }

  /// Replaces the value by what `f` makes of it, with the lock; the new one.
  template <class F>
  T change(const F& f) const {
    detail::ValueCore::Guard guard(core_);
    T next = read(guard);
    f(next);
    guard.replace(&next);
    return next;
  }
  /// Calls an operator of T for it: code of the user's, unless T is a number.
  template <class F>
  static void apply(const F& f, T& next) {
    if constexpr (std::is_arithmetic_v<T>) {
      next = f(next);
    } else {
      const detail::CopyGuard guard("an operator of a Value's type");
      next = f(next);
    }
  }
  template <class F>
  T step(const F& f) const {
    return change([&](T& next) { apply(f, next); });
  }
  /// The same; the old value, which cannot be told from the new one.
  template <class F>
  T exchange(const F& f) const {
    detail::ValueCore::Guard guard(core_);
    T next = read(guard);
    const T old = next;
    apply(f, next);
    guard.replace(&next);
    return old;
  }

  detail::ValueCore core_;
};

template <class T>
inline constexpr bool detail::kIsHandle<Value<T>> = true;

}  // namespace procession
