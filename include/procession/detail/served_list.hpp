#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "procession/detail/arithmetic.hpp"
#include "procession/detail/served_dict.hpp"

namespace procession::detail {

/// Where a negative index, which counts from the end, leads to. Throws std::out_of_range when there
/// is no such element of `what`.
std::size_t element_at(std::int64_t index, std::size_t size, const char* what);

/// What a ListProxy is a proxy of.
template <class T>
class ServedList {
 public:
  using Initial = std::vector<T>;

  ServedList() = default;
  explicit ServedList(std::vector<T> elements) : elements_(std::move(elements)) {}

  void append(T element) { elements_.push_back(std::move(element)); }
  T get(std::int64_t index) const { return elements_[at(index)]; }
  void set(std::int64_t index, T element) { elements_[at(index)] = std::move(element); }
  /// Beyond either end: there, as in Python.
  void insert(std::int64_t index, T element) {
    const auto size = static_cast<std::int64_t>(elements_.size());
    const std::int64_t place = std::clamp<std::int64_t>(index < 0 ? index + size : index, 0, size);
    elements_.insert(elements_.begin() + place, std::move(element));
  }
  void erase(std::int64_t index) { elements_.erase(iterator(index)); }
  T pop(std::int64_t index) {
    const auto place = iterator(index);
    T element = std::move(*place);
    elements_.erase(place);
    return element;
  }
  void extend(std::vector<T> more) {
    elements_.insert(elements_.end(), std::make_move_iterator(more.begin()),
                     std::make_move_iterator(more.end()));
  }
  const std::vector<T>& values() const { return elements_; }
  void clear() { elements_.clear(); }
  std::size_t size() const { return elements_.size(); }

 private:
  std::size_t at(std::int64_t index) const { return element_at(index, elements_.size(), "a list"); }
  auto iterator(std::int64_t index) {
    return elements_.begin() + static_cast<std::ptrdiff_t>(at(index));
  }

  std::vector<T> elements_;
};

/// What an ArrayProxy is a proxy of: a list of a size that stays.
template <class T>
class ServedArray {
 public:
  using Initial = std::vector<T>;

  explicit ServedArray(std::vector<T> elements = {}) : elements_(std::move(elements)) {}

  T get(std::int64_t index) const { return elements_[at(index)]; }
  void set(std::int64_t index, T element) { elements_[at(index)] = std::move(element); }
  const std::vector<T>& values() const { return elements_; }
  std::size_t size() const { return elements_.size(); }

 private:
  std::size_t at(std::int64_t index) const {
    return element_at(index, elements_.size(), "an array");
  }

  std::vector<T> elements_;
};

/// What a SetProxy is a proxy of.
template <class T>
class ServedSet {
  static_assert(Hashable<T> || Ordered<T>,
                "procession: elements of a manager's set need std::hash and ==, or <");

 public:
  using Initial = std::vector<T>;

  ServedSet() = default;
  explicit ServedSet(std::vector<T> elements) { update(std::move(elements)); }

  bool insert(T element) { return elements_.insert(std::move(element)).second; }
  bool contains(const T& element) const { return elements_.find(element) != elements_.end(); }
  bool erase(const T& element) { return elements_.erase(element) != 0; }
  void update(std::vector<T> elements) {
    for (T& element : elements)
      elements_.insert(std::move(element));
  }
  std::vector<T> values() const { return {elements_.begin(), elements_.end()}; }
  void clear() { elements_.clear(); }
  std::size_t size() const { return elements_.size(); }

 private:
  std::conditional_t<Ordered<T>, std::set<T>,
                     std::conditional_t<Hashable<T>, std::unordered_set<T>, std::set<T>>>
      elements_;
};

/// What a ValueProxy is a proxy of.
template <class T>
class ServedValue {
 public:
  using Initial = T;

  explicit ServedValue(T value = T()) : value_(std::move(value)) {}

  const T& value() const { return value_; }
  void set_value(T value) { value_ = std::move(value); }
  template <class U>
  T add(const U& more) {
    if constexpr (!ArithmeticPair<T, U> && requires(T& value) { value += more; }) {
      value_ += more;
    } else {
      value_ = sum_of(value_, more);
    }
    return value_;
  }
  template <class U>
  T subtract(const U& less) {
    if constexpr (!ArithmeticPair<T, U> && requires(T& value) { value -= less; }) {
      value_ -= less;
    } else {
      value_ = difference_of(value_, less);
    }
    return value_;
  }

 private:
  T value_;
};

}  // namespace procession::detail
