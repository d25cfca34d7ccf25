#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "procession/detail/served_list.hpp"
#include "procession/detail/served_namespace.hpp"
#include "procession/detail/snapshot.hpp"
#include "procession/detail/typed_proxy.hpp"

namespace procession {

/// A value of any type in a manager's server; where T is trivially copyable, a Value in shared
/// memory is faster by far. A handle; as Proxy otherwise. Python: `Manager().Value()`.
template <class T>
class ValueProxy : public detail::TypedProxy<detail::ServedValue<T>> {
  using Served = detail::ServedValue<T>;

 public:
  /// Names no value; Manager::value makes others.
  ValueProxy() = default;

  /// The value at this moment.
  [[nodiscard]] T value() const { return this->template call<&Served::value>("value"); }
  /// Replaces it.
  void set_value(const T& value) const {
    this->template call<&Served::set_value>("set_value", value);
  }
  /// Adds to it in one step, as Python's does not; the new value. Does to the T what the operator
  /// does in C++.
  T operator+=(const T& more) const { return add(more); }
  /// Takes it off in one step; the new value.
  T operator-=(const T& less) const { return subtract(less); }
  /// Adds something of another type, which is not made a T before: 2 plus 1.5 gives 3 in an `int`.
  /// For servers of other programs only numbers, and what becomes a T by being sent.
  template <class U>
    requires(detail::ArithmeticPair<T, U> ||
             requires(T& value, const detail::Kept<const U&>& more) { value += more; })
  T operator+=(const U& more) const {
    return add(more);
  }
  /// Takes something of another type off, in the same way.
  template <class U>
    requires(detail::ArithmeticPair<T, U> ||
             requires(T& value, const detail::Kept<const U&>& less) { value -= less; })
  T operator-=(const U& less) const {
    return subtract(less);
  }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const ValueProxy& value) { value.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, ValueProxy& value) { value.decode_handle(decoder); }

 private:
  /// A number is sent in the type in which C++ adds it: the result is the same, and servers of
  /// other programs need to know no more than those.
  template <class U>
  T add(const U& more) const {
    if constexpr (detail::ArithmeticPair<T, U>) {
      using Sum = detail::SumType<T, U>;
      return this->template call<&Served::template add<Sum>>("add", static_cast<Sum>(more));
    } else {
      return this->template call<&Served::template add<detail::Kept<const U&>>>("add", more);
    }
  }
  template <class U>
  T subtract(const U& less) const {
    if constexpr (detail::ArithmeticPair<T, U>) {
      using Sum = detail::SumType<T, U>;
      return this->template call<&Served::template subtract<Sum>>("subtract",
                                                                  static_cast<Sum>(less));
    } else {
      return this->template call<&Served::template subtract<detail::Kept<const U&>>>("subtract",
                                                                                     less);
    }
  }
};

/// A list in a manager's server whose size stays as it is. A negative index counts from the end. A
/// handle; as Proxy otherwise. Python: `Manager().Array()`.
template <class T>
class ArrayProxy : public detail::TypedProxy<detail::ServedArray<T>> {
  using Served = detail::ServedArray<T>;

 public:
  /// Names no array; Manager::array makes others.
  ArrayProxy() = default;

  /// The element. Throws `std::out_of_range` when there is none.
  T get(std::int64_t index) const { return this->template call<&Served::get>("get", index); }
  /// Replaces it. Throws as `get` does.
  void set(std::int64_t index, const T& element) const {
    this->template call<&Served::set>("set", index, element);
  }
  /// All elements, as they are at this moment.
  [[nodiscard]] std::vector<T> values() const {
    return this->template call<&Served::values>("values");
  }
  /// How many there are.
  [[nodiscard]] std::size_t size() const { return this->template call<&Served::size>("size"); }

  /// Goes over the elements as they are now.
  auto begin() const { return detail::SnapshotIterator<T>(values()); }
  /// The end of that.
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const ArrayProxy& array) { array.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, ArrayProxy& array) { array.decode_handle(decoder); }
};

/// Values of any types by name, in a manager's server.
///
///     mp::NamespaceProxy ns = manager.ns();
///     ns.set("limit", 10);
///     ns.get<int>("limit");
///
/// A handle; as Proxy otherwise. Python: `Manager().Namespace()`.
class NamespaceProxy : public detail::TypedProxy<detail::ServedNamespace> {
  using Served = detail::ServedNamespace;

 public:
  /// Names no namespace; Manager::ns makes others.
  NamespaceProxy() = default;

  /// The value of that name. Throws `KeyError` when there is none; `TypeMismatch` when it is of
  /// another type than T, which has to be the very type that was set: text is `std::string`.
  /// Python: `ns.name`.
  template <class T>
  T get(std::string_view name) const {
    return call<&Served::get<T>>(nullptr, name);
  }
  /// Adds the name or replaces its value, whatever type that had. Python: `ns.name = value`.
  template <class T>
  void set(std::string_view name, const T& value) const {
    call<&Served::set<detail::Kept<const T&>>>(nullptr, name, value);
  }
  /// Whether there is such a name. Python: `hasattr`.
  [[nodiscard]] bool contains(std::string_view name) const {
    return call<&Served::contains>("contains", name);
  }
  /// Takes the name out; whether there was one. Python: `del ns.name`, which throws.
  bool erase(std::string_view name) const { return call<&Served::erase>("erase", name); }
  /// All names, in their alphabetical order.
  [[nodiscard]] std::vector<std::string> names() const { return call<&Served::names>("names"); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const NamespaceProxy& ns) { ns.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, NamespaceProxy& ns) { ns.decode_handle(decoder); }
};

template <class T>
inline constexpr bool detail::kIsHandle<ValueProxy<T>> = true;
template <class T>
inline constexpr bool detail::kIsHandle<ArrayProxy<T>> = true;
template <>
inline constexpr bool detail::kIsHandle<NamespaceProxy> = true;

}  // namespace procession
