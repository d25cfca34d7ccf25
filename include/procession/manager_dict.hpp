#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

#include "procession/detail/collect.hpp"
#include "procession/detail/served_dict.hpp"
#include "procession/detail/snapshot.hpp"
#include "procession/detail/typed_proxy.hpp"

namespace procession {

/// A dictionary in a manager's server: keys of type K, values of type V, in the order in which the
/// keys came.
///
///     mp::DictProxy<std::string, int> ages = manager.dict<std::string, int>();
///     ages.set("bob", 40);
///     for (const auto& [name, age] : ages) ...   // as they were when the loop began
///
/// What `get` gives is a copy: to change a value, set it, or have values that are proxies
/// themselves (`DictProxy<std::string, ListProxy<int>>`). Each member is one step, whoever else
/// calls. K needs `std::hash` and ==, or <. A handle; as Proxy otherwise, also in what members
/// throw. Python: `Manager().dict()`.
template <class K, class V>
class DictProxy : public detail::TypedProxy<detail::ServedDict<K, V>> {
  using Served = detail::ServedDict<K, V>;
  using Items = std::vector<std::pair<K, V>>;

 public:
  /// Names no dictionary; Manager::dict makes others.
  DictProxy() = default;

  /// The value. Throws `KeyError` when there is no such key. Python: `d[key]`.
  V get(const K& key) const { return this->template call<&Served::get>("get", key); }
  /// The value, or `otherwise`.
  V get(const K& key, const V& otherwise) const {
    return this->template call<&Served::get_or>("get_or", key, otherwise);
  }
  /// Adds the key or replaces its value. Python: `d[key] = value`.
  void set(const K& key, const V& value) const {
    this->template call<&Served::set>("set", key, value);
  }
  /// The value; adds the key with `value` first where there is none. Python: `setdefault`.
  V set_default(const K& key, const V& value) const {
    return this->template call<&Served::set_default>("set_default", key, value);
  }
  /// Whether there is such a key.
  [[nodiscard]] bool contains(const K& key) const {
    return this->template call<&Served::contains>("contains", key);
  }
  /// Takes the key out; whether there was one. Python: `del d[key]`, which throws.
  bool erase(const K& key) const { return this->template call<&Served::erase>("erase", key); }
  /// Takes the key out and gives its value. Throws `KeyError` when there is none.
  V pop(const K& key) const { return this->template call<&Served::pop>("pop", key); }
  /// The same; `otherwise` when there is none.
  V pop(const K& key, const V& otherwise) const {
    return this->template call<&Served::pop_or>("pop_or", key, otherwise);
  }
  /// Takes the last key out. Throws `KeyError` when there is none. Python: `popitem`.
  std::pair<K, V> pop_item() const { return this->template call<&Served::pop_item>("pop_item"); }

  /// All keys, as they are at this moment; so are the next two.
  [[nodiscard]] std::vector<K> keys() const { return this->template call<&Served::keys>("keys"); }
  /// All values.
  [[nodiscard]] std::vector<V> values() const {
    return this->template call<&Served::values>("values");
  }
  /// Both.
  [[nodiscard]] Items items() const { return this->template call<&Served::items>("items"); }
  /// Sets all of any range of pairs, in one step; of a proxy, those that it had when it was asked,
  /// before that.
  template <detail::RangeOf<std::pair<K, V>> Range>
  void update(Range&& range) const {
    this->template call<&Served::update>(
        "update", detail::collect<std::pair<K, V>>(std::forward<Range>(range)));
  }
  /// The same for pairs in braces.
  void update(std::initializer_list<std::pair<K, V>> items) const {
    this->template call<&Served::update>("update", Items(items));
  }
  /// Takes all out.
  void clear() const { this->template call<&Served::clear>("clear"); }
  /// How many keys there are.
  [[nodiscard]] std::size_t size() const { return this->template call<&Served::size>("size"); }
  /// Whether there are none.
  [[nodiscard]] bool empty() const { return size() == 0; }

  /// Goes over the items as they are now.
  auto begin() const { return detail::SnapshotIterator<std::pair<K, V>>(items()); }
  /// The end of that.
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const DictProxy& dict) { dict.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, DictProxy& dict) { dict.decode_handle(decoder); }
};

template <class K, class V>
inline constexpr bool detail::kIsHandle<DictProxy<K, V>> = true;

}  // namespace procession
