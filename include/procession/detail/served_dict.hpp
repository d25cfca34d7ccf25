#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "procession/codec.hpp"

namespace procession::detail {

template <class K>
concept Hashable = requires(const K& key) {
  { std::hash<K>{}(key) } -> std::convertible_to<std::size_t>;
  { key == key } -> std::convertible_to<bool>;
};
template <class K>
concept Ordered = requires(const K& key) {
  { key < key } -> std::convertible_to<bool>;
};

template <class K, class Place, bool kHashed>
struct KeyIndexOf {
  using type = std::map<K, Place>;
};
template <class K, class Place>
struct KeyIndexOf<K, Place, true> {
  using type = std::unordered_map<K, Place>;
};

/// `key` as it is shown in the text of an error.
template <class K>
std::string show_key(const K& key) {
  if constexpr (std::is_same_v<K, std::string>) {
    return "\"" + key + "\"";
  } else if constexpr (std::is_arithmetic_v<K>) {
    return std::to_string(key);
  } else {
    return "of type " + std::string(type_name<K>());
  }
}

[[noreturn]] void throw_no_key(const std::string& key);
[[noreturn]] void throw_empty_dict();

/// What a DictProxy is a proxy of. Keeps the order in which keys came, as in Python.
template <class K, class V>
class ServedDict {
  static_assert(Hashable<K> || Ordered<K>,
                "procession: keys of a manager's dict need std::hash and ==, or <");

 public:
  using Items = std::vector<std::pair<K, V>>;
  using Initial = Items;

  ServedDict() = default;
  explicit ServedDict(Items items) { update(std::move(items)); }

  const V& get(const K& key) const { return *place(key); }
  V get_or(const K& key, V otherwise) const {
    const auto found = index_.find(key);
    return found == index_.end() ? std::move(otherwise) : found->second->second;
  }
  void set(K key, V value) {
    const auto [found, is_new] = index_.try_emplace(key);
    if (!is_new) {
      found->second->second = std::move(value);
      return;
    }
    try {
      found->second = items_.emplace(items_.end(), std::move(key), std::move(value));
    } catch (...) {
      index_.erase(found);
      throw;
    }
  }
  V set_default(K key, V value) {
    const auto found = index_.find(key);
    if (found != index_.end()) return found->second->second;
    V result = value;
    set(std::move(key), std::move(value));
    return result;
  }
  bool contains(const K& key) const { return index_.find(key) != index_.end(); }
  bool erase(const K& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return false;
    items_.erase(found->second);
    index_.erase(found);
    return true;
  }
  V pop(const K& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) throw_no_key(show_key(key));
    return take(found);
  }
  V pop_or(const K& key, V otherwise) {
    const auto found = index_.find(key);
    return found == index_.end() ? std::move(otherwise) : take(found);
  }
  std::pair<K, V> pop_item() {
    if (items_.empty()) throw_empty_dict();
    std::pair<K, V> last = std::move(items_.back());
    index_.erase(last.first);
    items_.pop_back();
    return last;
  }
  std::vector<K> keys() const {
    std::vector<K> all;
    for (const auto& item : items_)
      all.push_back(item.first);
    return all;
  }
  std::vector<V> values() const {
    std::vector<V> all;
    for (const auto& item : items_)
      all.push_back(item.second);
    return all;
  }
  Items items() const { return {items_.begin(), items_.end()}; }
  void update(Items items) {
    for (auto& [key, value] : items)
      set(std::move(key), std::move(value));
  }
  void clear() {
    index_.clear();
    items_.clear();
  }
  std::size_t size() const { return items_.size(); }

 private:
  using List = std::list<std::pair<K, V>>;
  using Index = typename KeyIndexOf<K, typename List::iterator, Hashable<K>>::type;

  const V* place(const K& key) const {
    const auto found = index_.find(key);
    if (found == index_.end()) throw_no_key(show_key(key));
    return &found->second->second;
  }
  V take(typename Index::iterator found) {
    V value = std::move(found->second->second);
    items_.erase(found->second);
    index_.erase(found);
    return value;
  }

  List items_;
  Index index_;
};

}  // namespace procession::detail
