#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <span>
#include <type_traits>

#include "procession/detail/count_of.hpp"
#include "procession/detail/element_shape.hpp"
#include "procession/lock.hpp"

namespace procession {

namespace detail {

/// What Array does with the bytes of its elements.
class ArrayCore {
 public:
  ArrayCore() = default;
  /// Zeroed. Throws OutOfMemory when so many do not fit.
  ArrayCore(std::size_t count, ElementShape shape, std::uint64_t fingerprint);

  void encode(Encoder& encoder) const { handle_.encode(encoder, kWhat); }
  void decode(Decoder& decoder, std::uint64_t fingerprint);
  [[nodiscard]] RLock lock() const;
  /// Null when there are none.
  [[nodiscard]] void* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr const char* kWhat = "an Array";

  void find();

  Handle handle_;
  void* data_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<void> mapping_;  // of elements that are guarded
};

}  // namespace detail

/// Elements that processes share: plain memory, as fast as a std::vector's, with no hidden lock.
///
///     mp::Array<double> data(1'000'000);
///     mp::Process p(fill, data);              // the same memory there, however large it is
///     std::ranges::sort(data);
///
/// A handle: copies, also those that are sent, name the same elements, which live as long as one of
/// them. Elements may be used by any thread of any process; who writes what others read at the same
/// time takes `get_lock()`, or uses std::atomic_ref.
///
/// A write past either end hits other arrays, values and messages on their way at worst, never what
/// the library itself needs: whoever reads those finds other values or a `DecodeError`, and all
/// processes go on. To find the one who writes there, run the program with PROCESSION_GUARD=1 in
/// its environment, and each array has a page without access behind its last element; or
/// PROCESSION_GUARD=2, and there is one before its first. An array takes whole pages then, and what
/// is written there ends its process with SIGSEGV. Python: `multiprocessing.Array`, or `RawArray`
/// as far as locks go.
template <class T>
class Array {
  static_assert(
      std::is_trivially_copyable_v<T>,
      "procession::Array<T> keeps the bytes of its elements in shared memory: T must be "
      "trivially copyable (no std::string, no pointer to what other processes do not have)");
  static_assert(alignof(T) <= detail::kMostAlignment,
                "procession::Array<T> keeps its elements in memory that lies at another page in "
                "each process: T may be aligned to a page, 4096 bytes, and to no more");

 public:
  using value_type = T;  ///< of an element
  using iterator = T*;   ///< plain pointers

  /// No elements, for what is to be decoded or assigned.
  Array() = default;
  /// `n` elements, all bytes zero. Throws `OutOfMemory` when the shared heap or the machine has no
  /// room for them.
  explicit Array(std::size_t n) : core_(n, {sizeof(T), alignof(T)}, fingerprint()) {}
  /// Copies of these. Throws as the above.
  Array(std::initializer_list<T> elements) : Array(elements.size()) {
    if (!empty()) std::ranges::copy(elements, begin());  // else it is to be decoded
  }
  /// Copies of the elements of a range. Throws as the above.
  template <std::ranges::input_range Range>
    requires(std::convertible_to<std::ranges::range_reference_t<Range>, T> &&
             !std::same_as<std::remove_cvref_t<Range>, Array> &&
             (std::ranges::sized_range<Range> || std::ranges::forward_range<Range>))
  explicit Array(Range&& range) : Array(detail::count_of(std::ranges::distance(range))) {
    if (empty()) return;  // it is to be decoded, or there are none
    T* place = begin();
    for (auto&& element : range) {
      *place++ = static_cast<T>(element);
    }
  }

  /// The element at `index`, which is not checked.
  T& operator[](std::size_t index) const { return data()[index]; }
  /// How many elements there are.
  [[nodiscard]] std::size_t size() const noexcept { return core_.size(); }
  /// Whether there are none.
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// The elements, one after the other, at a multiple of 64 bytes and of T's alignment (of that
  /// alone with PROCESSION_GUARD=1); null when there are none.
  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(core_.data()); }
  /// The first element.
  [[nodiscard]] T* begin() const noexcept { return data(); }
  /// Behind the last one.
  [[nodiscard]] T* end() const noexcept { return data() + size(); }
  /// All of them.
  operator std::span<T>() const noexcept { return {data(), size()}; }  // NOLINT: as a vector does

  /// A lock for those who need one; the same for all copies. Throws `ProcessError` for an Array
  /// that names nothing.
  [[nodiscard]] RLock get_lock() const { return core_.lock(); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Array& array) { array.core_.encode(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, Array& array) { array.core_.decode(decoder, fingerprint()); }

 private:
  static constexpr std::uint64_t fingerprint() {
    return detail::Fingerprint::of(type_name<T>(), sizeof(T));
  }

  detail::ArrayCore core_;
};

template <class T>
inline constexpr bool detail::kIsHandle<Array<T>> = true;

}  // namespace procession
