#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

#include "procession/detail/collect.hpp"
#include "procession/detail/served_list.hpp"
#include "procession/detail/snapshot.hpp"
#include "procession/detail/typed_proxy.hpp"

namespace procession {

/// A list in a manager's server. A negative index counts from the end: -1 is the last element.
///
///     mp::ListProxy<int> list = manager.list<int>({1, 2, 3});
///     list.append(4);
///     list.get(-1);                       // 4
///     for (int x : list) list.append(x);  // over the elements as they were when the loop began
///
/// What `get` gives is a copy. Each member is one step, whoever else calls. A handle; as Proxy
/// otherwise, also in what members throw. Python: `Manager().list()`.
template <class T>
class ListProxy : public detail::TypedProxy<detail::ServedList<T>> {
  using Served = detail::ServedList<T>;

 public:
  /// Names no list; Manager::list makes others.
  ListProxy() = default;

  /// Adds an element at the end.
  void append(const T& element) const { this->template call<&Served::append>("append", element); }
  /// The element. Throws `std::out_of_range` when there is none. Python: `l[index]`.
  T get(std::int64_t index) const { return this->template call<&Served::get>("get", index); }
  /// Replaces the element. Throws as `get` does. Python: `l[index] = element`.
  void set(std::int64_t index, const T& element) const {
    this->template call<&Served::set>("set", index, element);
  }
  /// Adds an element in front of that one; beyond either end, there.
  void insert(std::int64_t index, const T& element) const {
    this->template call<&Served::insert>("insert", index, element);
  }
  /// Takes the element out. Throws as `get` does. Python: `del l[index]`.
  void erase(std::int64_t index) const { this->template call<&Served::erase>("erase", index); }
  /// Takes the element out and gives it. Throws as `get` does.
  T pop(std::int64_t index = -1) const { return this->template call<&Served::pop>("pop", index); }
  /// Adds all elements of any range at the end, in one step; of a proxy, this one too, those that
  /// it had when it was asked, before that.
  template <detail::RangeOf<T> Range>
  void extend(Range&& range) const {
    this->template call<&Served::extend>("extend", detail::collect<T>(std::forward<Range>(range)));
  }
  /// The same for elements in braces.
  void extend(std::initializer_list<T> elements) const {
    this->template call<&Served::extend>("extend", std::vector<T>(elements));
  }
  /// All elements, as they are at this moment. Python: `l[:]`.
  [[nodiscard]] std::vector<T> values() const {
    return this->template call<&Served::values>("values");
  }
  /// Takes all out.
  void clear() const { this->template call<&Served::clear>("clear"); }
  /// How many there are.
  [[nodiscard]] std::size_t size() const { return this->template call<&Served::size>("size"); }
  /// Whether there are none.
  [[nodiscard]] bool empty() const { return size() == 0; }

  /// Goes over the elements as they are now.
  auto begin() const { return detail::SnapshotIterator<T>(values()); }
  /// The end of that.
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const ListProxy& list) { list.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, ListProxy& list) { list.decode_handle(decoder); }
};

/// A set in a manager's server, as ListProxy otherwise. T needs `std::hash` and ==, or <, and its
/// elements are in the order of that. Python: `Manager().set()` of 3.14.
template <class T>
class SetProxy : public detail::TypedProxy<detail::ServedSet<T>> {
  using Served = detail::ServedSet<T>;

 public:
  /// Names no set; Manager::set makes others.
  SetProxy() = default;

  /// Adds an element; whether it was not there. Python: `add`.
  bool insert(const T& element) const {
    return this->template call<&Served::insert>("insert", element);
  }
  /// Whether it is there.
  [[nodiscard]] bool contains(const T& element) const {
    return this->template call<&Served::contains>("contains", element);
  }
  /// Takes it out; whether it was there. Python: `discard`.
  bool erase(const T& element) const {
    return this->template call<&Served::erase>("erase", element);
  }
  /// Adds all elements of any range, in one step; of a proxy, those that it had when it was asked,
  /// before that.
  template <detail::RangeOf<T> Range>
  void update(Range&& range) const {
    this->template call<&Served::update>("update", detail::collect<T>(std::forward<Range>(range)));
  }
  /// The same for elements in braces.
  void update(std::initializer_list<T> elements) const {
    this->template call<&Served::update>("update", std::vector<T>(elements));
  }
  /// All elements, as they are at this moment.
  [[nodiscard]] std::vector<T> values() const {
    return this->template call<&Served::values>("values");
  }
  /// Takes all out.
  void clear() const { this->template call<&Served::clear>("clear"); }
  /// How many there are.
  [[nodiscard]] std::size_t size() const { return this->template call<&Served::size>("size"); }
  /// Whether there are none.
  [[nodiscard]] bool empty() const { return size() == 0; }

  /// Goes over the elements as they are now.
  auto begin() const { return detail::SnapshotIterator<T>(values()); }
  /// The end of that.
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const SetProxy& set) { set.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, SetProxy& set) { set.decode_handle(decoder); }
};

template <class T>
inline constexpr bool detail::kIsHandle<ListProxy<T>> = true;
template <class T>
inline constexpr bool detail::kIsHandle<SetProxy<T>> = true;

}  // namespace procession
