#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "procession/shared_memory.hpp"

namespace procession {

namespace shared {
class ListLayout;
}

namespace detail {

/// A number, and neither a truth value nor a character.
template <class T>
inline constexpr bool kIsInteger =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char> &&
    !std::is_same_v<T, wchar_t> && !std::is_same_v<T, char8_t> && !std::is_same_v<T, char16_t> &&
    !std::is_same_v<T, char32_t>;

/// Whether T is an alternative of a variant.
template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Alternatives>
inline constexpr bool kIsAlternative<T, std::variant<Alternatives...>> =
    (std::is_same_v<T, Alternatives> || ...);

}  // namespace detail

/// A list of a fixed length in a named block of shared memory, with the memory layout of Python's
/// `multiprocessing.shared_memory.ShareableList`: each side reads and writes the other's.
///
///     mp::ShareableList list({1, 2.5, "text", true, nullptr}, "settings");
///     list[2] = "next";                     // Python: ShareableList(name='settings')[2]
///     auto number = list.get<double>(1);
///
/// Items change in place, so a text keeps the room that it had at first, rounded up to a multiple
/// of eight bytes. As in Python, zero bytes at the end of a text or of bytes are lost, and there is
/// no lock: guard it with one if several processes write. Whoever may open the block may write what
/// he likes, so each look checks anew what lies there, and throws `DecodeError` for what is no
/// list. A handle, as SharedMemory is, and what that says of Python's resource tracker holds here
/// too.
class ShareableList {
 public:
  /// What an item can be: Python's None, bool, int, float, str and bytes.
  using Item =
      std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, std::vector<std::byte>>;

  /// What `list[i]` gives: the item, as it is now, which can be assigned to.
  class Reference;

  /// Names nothing.
  ShareableList() = default;
  /// A new list. Throws as `SharedMemory::create` does, and `std::invalid_argument` for a text too
  /// long for the format (9,999,999 bytes).
  explicit ShareableList(const std::vector<Item>& items,
                         const std::optional<std::string>& name = {});
  /// The same, from items in braces.
  ShareableList(std::initializer_list<Item> items, const std::optional<std::string>& name = {})
      : ShareableList(std::vector<Item>(items), name) {}

  /// Opens the list of that name, of whatever maker. Throws `ProcessError` when there is none,
  /// `DecodeError` when the block holds no such list.
  static ShareableList attach(const std::string& name);

  /// How many items there are. Throws `DecodeError` when there is no list any more, as all below
  /// do.
  [[nodiscard]] std::size_t size() const;
  /// The item at `index`; negative ones count from the end. Throws `std::out_of_range`;
  /// `DecodeError` when what lies there is no item.
  [[nodiscard]] Item get(std::ptrdiff_t index) const;
  /// The same, for an item known to be a T: one of Item's, or any other integer that has room for
  /// the number. Throws `TypeMismatch` when it is not, or has not.
  template <class T>
  [[nodiscard]] T get(std::ptrdiff_t index) const {
    static_assert(detail::kIsAlternative<T, Item> || detail::kIsInteger<T>,
                  "an item of a ShareableList is a std::nullptr_t, bool, std::int64_t or another "
                  "integer, double, std::string or std::vector<std::byte>");
    Item item = get(index);
    if constexpr (detail::kIsAlternative<T, Item>) {
      if (T* const found = std::get_if<T>(&item)) {
        return std::move(*found);
      }
    } else if constexpr (detail::kIsInteger<T>) {
      const auto* const found = std::get_if<std::int64_t>(&item);
      if (found != nullptr && std::in_range<T>(*found)) {
        return static_cast<T>(*found);
      }
    }
    refuse(index, type_name<T>(), item, detail::kIsInteger<T>);
  }
  /// The same as `get`, and `list[index] = item` as `set`.
  [[nodiscard]] Reference operator[](std::ptrdiff_t index) const;
  /// Replaces an item, by one of another type too. Throws `std::out_of_range`;
  /// `std::invalid_argument` for a text longer than the room of the item.
  void set(std::ptrdiff_t index, const Item& item) const;

  /// How many items equal `item`, in type too.
  [[nodiscard]] std::size_t count(const Item& item) const;
  /// The place of the first item that equals `item`; empty when there is none. (Python throws.)
  [[nodiscard]] std::optional<std::size_t> index(const Item& item) const;
  /// All items.
  [[nodiscard]] std::vector<Item> items() const;
  /// The formats of all items as Python's struct module writes them.
  [[nodiscard]] std::string format() const;
  /// The block that the list lies in.
  [[nodiscard]] const SharedMemory& shm() const { return shm_; }

  /// Sends the block's name.
  friend void encode(Encoder& encoder, const ShareableList& list) {
    procession::encode(encoder, list.shm_);
  }
  /// Opens what was named. Throws as `attach` does.
  friend void decode(Decoder& decoder, ShareableList& list) {
    procession::decode(decoder, list.shm_);
    list.check();
  }

 private:
  [[noreturn]] static void refuse(std::ptrdiff_t index, std::string_view asked, const Item& found,
                                  bool asked_for_integer);
  void check() const;
  /// What the list is like at this look, by what lies in the block now.
  [[nodiscard]] shared::ListLayout layout() const;

  SharedMemory shm_;
};

/// An item that was read from a list, and in all an Item: `std::get`, `std::visit` and comparison
/// work with it as with any other. To assign to `list[i]` is to set the item in the list. Once it
/// has a name it is a copy, as in Python: after `auto x = list[i]`, `x = 5` changes x only.
class ShareableList::Reference : public Item {
 public:
  Reference(const Reference&) = default;
  ~Reference() = default;

  /// Sets the item in the list. Throws as `set` does.
  Reference& operator=(const Item& item) && {
    list_.set(index_, item);
    Item::operator=(item);
    return *this;
  }
  /// The same: `list[i] = list[j]`.
  Reference& operator=(const Reference& item) && {  // NOLINT: assigned to itself, it may be set too
    return std::move(*this) = static_cast<const Item&>(item);
  }
  /// Changes this copy.
  Reference& operator=(const Item& item) & {
    Item::operator=(item);
    return *this;
  }
  /// The same.
  Reference& operator=(const Reference& item) & = default;

  /// In type too, as Items compare; with what converts to an Item: `list[i] == 5`.
  friend bool operator==(const Reference& a, const Item& b) {
    return static_cast<const Item&>(a) == b;
  }
  friend bool operator==(const Reference& a, const Reference& b) {
    return a == static_cast<const Item&>(b);
  }

 private:
  friend class ShareableList;
  Reference(const ShareableList& list, std::ptrdiff_t index)
      : Item(list.get(index)), list_(list), index_(index) {}

  ShareableList list_;
  std::ptrdiff_t index_;
};

/// Behind the class that it returns.
inline ShareableList::Reference ShareableList::operator[](std::ptrdiff_t index) const {
  return {*this, index};
}

}  // namespace procession
