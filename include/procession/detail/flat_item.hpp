#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "procession/codec.hpp"

// Items whose encoding is a length and, behind it, their elements as they lie in memory: vectors of
// numbers, strings. Large ones need not be encoded to be sent.
namespace procession::detail {

template <class T>
constexpr bool is_flat() {
  if constexpr (Encodable<T> && (kKind<T> == Kind::sequence || kKind<T> == Kind::text)) {
    return ContiguousStorage<T>;
  } else {
    return false;
  }
}

/// What there is of a flat item.
struct FlatItem {
  /// From so many bytes on an item is put as one.
  static constexpr std::size_t kLeast = std::size_t{2} << 20;

  [[nodiscard]] bool is_large() const { return bytes.size() >= kLeast; }

  std::uint64_t length;  ///< how many elements
  std::span<const std::byte> bytes;

  template <class T>
  static FlatItem of(const T& item) {
    return {item.size(), std::as_bytes(std::span(item.data(), item.size()))};
  }
};

/// Where the bytes of a flat item go that come piece by piece.
class FlatSink {
 public:
  FlatSink(const FlatSink&) = delete;
  FlatSink& operator=(const FlatSink&) = delete;
  virtual ~FlatSink() = default;

  /// Whether all have come.
  [[nodiscard]] bool complete() const { return complete_; }

  /// Makes room; what came before is nothing of worth. False: the elements have another size here.
  virtual bool begin(std::uint64_t length, std::size_t bytes) = 0;
  virtual void add(std::span<const std::byte> piece) = 0;
  void finish() { complete_ = true; }

 protected:
  FlatSink() = default;

 private:
  bool complete_ = false;
};

template <class T>
class FlatReceiver final : public FlatSink {
 public:
  bool begin(std::uint64_t length, std::size_t bytes) override {
    if (bytes % sizeof(Element) != 0 || bytes / sizeof(Element) != length) return false;
    bytes_ = 0;
    value_.clear();
    value_.reserve(length);
    return true;
  }

  void add(std::span<const std::byte> piece) override {
    if constexpr (kWhole) {
      // They need not be written twice.
      const auto* const elements = reinterpret_cast<const Element*>(piece.data());
      value_.insert(value_.end(), elements, elements + piece.size() / sizeof(Element));
    } else {
      // One may be cut in two by the end of a piece.
      value_.resize((bytes_ + piece.size() + sizeof(Element) - 1) / sizeof(Element));
      std::memcpy(reinterpret_cast<std::byte*>(value_.data()) + bytes_, piece.data(), piece.size());
      bytes_ += piece.size();
    }
  }

  T& value() { return value_; }
  FlatSink* address() { return this; }

 private:
  using Element = typename T::value_type;

  /// Whether pieces, which begin and end at multiples of 64 bytes, consist of whole elements.
  static constexpr bool kWhole =
      64 % sizeof(Element) == 0 &&
      requires(T& value, const Element* element) { value.insert(value.end(), element, element); };

  T value_;
  std::size_t bytes_ = 0;
};

struct NoSink {
  static FlatSink* address() { return nullptr; }
};

/// A receiver of T, if that is flat.
template <class T>
using FlatSinkFor = std::conditional_t<is_flat<T>(), FlatReceiver<T>, NoSink>;

}  // namespace procession::detail
