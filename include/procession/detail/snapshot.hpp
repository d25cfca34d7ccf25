#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace procession::detail {

/// Goes over elements as they were when it was made, whatever happens to their container.
template <class T>
class SnapshotIterator {
 public:
  using value_type = T;                               ///< an element
  using difference_type = std::ptrdiff_t;             ///< as an iterator must have
  using iterator_category = std::input_iterator_tag;  ///< copies share the elements

  SnapshotIterator() = default;
  explicit SnapshotIterator(std::vector<T> elements)
      : elements_(std::make_shared<std::vector<T>>(std::move(elements))) {}

  T& operator*() const { return (*elements_)[at_]; }
  T* operator->() const { return &**this; }
  SnapshotIterator& operator++() {
    ++at_;
    return *this;
  }
  void operator++(int) { ++at_; }
  friend bool operator==(const SnapshotIterator& it, std::default_sentinel_t) {
    return it.elements_ == nullptr || it.at_ == it.elements_->size();
  }

 private:
  std::shared_ptr<std::vector<T>> elements_;
  std::size_t at_ = 0;
};

}  // namespace procession::detail
