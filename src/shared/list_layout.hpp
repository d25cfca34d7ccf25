// Where CPython's ShareableList keeps what. All numbers are 64 bits, little endian here.
//
//     8 bytes          N, the number of items
//     (N + 1) * 8      where each item begins, counted from the data area; the last: its size
//     data area        the items, each at a multiple of 8
//     N * 8            the format of each item, as of Python's struct module
//     N                what the item was in Python: 0 a number or a bool, 1 str, 2 bytes, 3 None
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

namespace procession::shared {

inline constexpr std::size_t kWord = 8;

inline constexpr const char* kIntFormat = "q";
inline constexpr const char* kFloatFormat = "d";
inline constexpr const char* kBoolFormat = "xxxxxxx?";
inline constexpr const char* kNoneFormat = "xxxxxx?x";

enum class Origin : std::uint8_t { number, text, bytes, none };

/// A list in memory that others may write to at any time, as it was at one look: how many items it
/// has and where their formats lie is read once. Where an item lies is read, and checked, when it
/// is used.
class ListLayout {
 public:
  explicit ListLayout(std::span<std::byte> memory);

  /// What is wrong with the list as a whole; empty: nothing, and the functions below may be called.
  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }
  /// The same of the items too.
  [[nodiscard]] std::optional<std::string> fault_of_items() const;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Room for the item. Empty when the offsets that stand there make no sense.
  [[nodiscard]] std::optional<std::span<std::byte>> room(std::uint64_t index) const;
  [[nodiscard]] std::string format(std::uint64_t index) const;
  void set_format(std::uint64_t index, const std::string& format) const;
  [[nodiscard]] Origin origin(std::uint64_t index) const;
  void set_origin(std::uint64_t index, Origin origin) const;

 private:
  [[nodiscard]] std::uint64_t word(std::uint64_t index) const {
    std::uint64_t value = 0;
    std::memcpy(&value, memory_.data() + index * kWord, kWord);
    return value;
  }
  [[nodiscard]] std::uint64_t offset(std::uint64_t index) const { return word(index + 1); }
  [[nodiscard]] std::uint64_t data() const { return (size_ + 2) * kWord; }

  std::span<std::byte> memory_;
  std::uint64_t size_ = 0;
  std::byte* formats_ = nullptr;
  std::optional<std::string> fault_;
};

/// One of the first words of a new list.
inline void set_word(std::span<std::byte> memory, std::uint64_t index, std::uint64_t value) {
  std::memcpy(memory.data() + index * kWord, &value, kWord);
}

}  // namespace procession::shared
