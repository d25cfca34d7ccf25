#include "procession/shareable_list.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "procession/error.hpp"
#include "shared/list_layout.hpp"

namespace procession {

namespace {

using shared::kWord;
using shared::ListLayout;
using shared::Origin;
using Item = ShareableList::Item;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kLongestText = 9'999'999;  // its format has eight characters: 9999992s

const char* python_name(const Item& item) {
  constexpr const char* kNames[] = {"None", "bool", "int", "float", "str", "bytes"};
  return kNames[item.index()];
}

/// As one writes it in `get<T>`: the compiler would call std::int64_t `long`.
std::string cpp_name(const Item& item) {
  constexpr const char* kNames[] = {"std::nullptr_t", "bool",        "std::int64_t",
                                    "double",         "std::string", "std::vector<std::byte>"};
  return kNames[item.index()];
}

/// The bytes of a text; empty for other items.
std::optional<std::span<const std::byte>> text_of(const Item& item) {
  if (const auto* text = std::get_if<std::string>(&item)) {
    return std::as_bytes(std::span(*text));
  }
  if (const auto* bytes = std::get_if<Bytes>(&item)) {
    return std::span(*bytes);
  }
  return std::nullopt;
}

std::size_t room_for(const Item& item) {
  const auto text = text_of(item);
  return text ? kWord * (text->size() / kWord + 1) : kWord;
}

Origin origin_of(const Item& item) {
  if (std::holds_alternative<std::string>(item)) {
    return Origin::text;
  }
  if (std::holds_alternative<Bytes>(item)) {
    return Origin::bytes;
  }
  return std::holds_alternative<std::nullptr_t>(item) ? Origin::none : Origin::number;
}

/// The format of an item in a room of so many bytes.
std::string format_of(const Item& item, std::size_t room) {
  constexpr const char* kFormats[] = {shared::kNoneFormat, shared::kBoolFormat, shared::kIntFormat,
                                      shared::kFloatFormat};
  return text_of(item) ? std::to_string(room) + "s" : kFormats[item.index()];
}

void store(std::span<std::byte> room, const Item& item) {
  if (const auto text = text_of(item)) {
    std::ranges::fill(std::ranges::copy(*text, room.begin()).out, room.end(), std::byte{0});
    return;
  }
  std::byte word[kWord] = {};
  if (const auto* number = std::get_if<std::int64_t>(&item)) {
    std::memcpy(word, number, kWord);
  } else if (const auto* real = std::get_if<double>(&item)) {
    std::memcpy(word, real, kWord);
  } else if (const auto* flag = std::get_if<bool>(&item)) {
    word[kWord - 1] = std::byte{*flag};
  }
  std::ranges::copy(word, room.begin());
}

void put(const ListLayout& list, std::size_t index, std::span<std::byte> room, const Item& item) {
  list.set_format(index, format_of(item, room.size()));
  list.set_origin(index, origin_of(item));
  store(room, item);
}

[[noreturn]] void throw_damaged(const SharedMemory& memory, const std::string& found) {
  throw DecodeError("asked to read a ShareableList in the shared memory '" + memory.name() +
                    "', found none: " + found + "; the block is another program's, or damaged");
}

/// The place of an item; negative ones count from the end.
std::size_t place(const ListLayout& list, std::ptrdiff_t index) {
  const auto size = static_cast<std::ptrdiff_t>(list.size());
  const std::ptrdiff_t from_start = index < 0 ? index + size : index;
  if (from_start < 0 || from_start >= size) {
    throw std::out_of_range("asked for item " + std::to_string(index) + " of a ShareableList of " +
                            std::to_string(size));
  }
  return static_cast<std::size_t>(from_start);
}

std::span<std::byte> room_at(const SharedMemory& memory, const ListLayout& list, std::size_t at) {
  const auto room = list.room(at);
  if (!room) {
    throw_damaged(memory, "item " + std::to_string(at) + " lies outside of it");
  }
  return *room;
}

template <class T>
T word_as(std::span<const std::byte> room) {
  T value;
  std::memcpy(&value, room.data(), sizeof value);
  return value;
}

/// The bytes of a text of that format, without the zeros at the end. Empty when it is no such
/// format, or more than there is room for.
std::optional<std::span<const std::byte>> text_in(std::span<const std::byte> room,
                                                  const std::string& format) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(format.data(), format.data() + format.size(), length);
  if (error != std::errc{} || std::string_view(end, format.data() + format.size()) != "s" ||
      length > room.size()) {
    return std::nullopt;
  }
  while (length > 0 && room[length - 1] == std::byte{0}) {
    --length;
  }
  return room.first(length);
}

}  // namespace

ShareableList::ShareableList(const std::vector<Item>& items,
                             const std::optional<std::string>& name) {
  std::size_t data = 0;
  for (const Item& item : items) {
    if (room_for(item) > kLongestText) {
      throw std::invalid_argument("a ShareableList was to hold a text or bytes of " +
                                  std::to_string(text_of(item)->size()) +
                                  " bytes; an item has less than 10,000,000: use a "
                                  "SharedMemory");
    }
    data += room_for(item);
  }
  const std::size_t count = items.size();
  shm_ = SharedMemory::create((count + 2) * kWord + data + count * (kWord + 1), name);
  shared::set_word(shm_.buf(), 0, count);
  std::size_t offset = 0;
  for (std::size_t i = 0; i < count; ++i) {
    shared::set_word(shm_.buf(), i + 1, offset);
    offset += room_for(items[i]);
  }
  shared::set_word(shm_.buf(), count + 1, offset);
  const ListLayout list = layout();
  for (std::size_t i = 0; i < count; ++i) {
    put(list, i, room_at(shm_, list, i), items[i]);
  }
}

ShareableList ShareableList::attach(const std::string& name) {
  ShareableList list;
  list.shm_ = SharedMemory::attach(name);
  list.check();
  return list;
}

ListLayout ShareableList::layout() const {
  ListLayout list(shm_.bytes_now());
  if (list.fault()) {
    throw_damaged(shm_, *list.fault());
  }
  return list;
}

void ShareableList::check() const {
  if (const auto fault = layout().fault_of_items()) {
    throw_damaged(shm_, *fault);
  }
}

std::size_t ShareableList::size() const { return layout().size(); }

Item ShareableList::get(std::ptrdiff_t index) const {
  const ListLayout list = layout();
  const std::size_t at = place(list, index);
  const std::span<const std::byte> room = room_at(shm_, list, at);
  const std::string format = list.format(at);
  const Origin origin = list.origin(at);
  if (origin == Origin::none) {
    return nullptr;
  }
  if (format == shared::kIntFormat) {
    return word_as<std::int64_t>(room);
  }
  if (format == shared::kFloatFormat) {
    return word_as<double>(room);
  }
  if (format == shared::kBoolFormat) {
    return room[kWord - 1] != std::byte{0};
  }
  const auto text = text_in(room, format);
  if (text && origin == Origin::text) {
    return std::string(reinterpret_cast<const char*>(text->data()), text->size());
  }
  if (text && origin == Origin::bytes) {
    return Bytes(text->begin(), text->end());
  }
  throw_damaged(shm_, "item " + std::to_string(at) + " has the format '" + format + "'");
}

void ShareableList::set(std::ptrdiff_t index, const Item& item) const {
  const ListLayout list = layout();
  const std::size_t at = place(list, index);
  const std::span<std::byte> room = room_at(shm_, list, at);
  const auto text = text_of(item);
  if (text && text->size() > room.size()) {
    throw std::invalid_argument(
        "asked to store " + std::to_string(text->size()) + " bytes in item " + std::to_string(at) +
        " of a ShareableList, which has room for " + std::to_string(room.size()) +
        "; make the list with a text as long as it may become");
  }
  put(list, at, room, item);
}

std::vector<Item> ShareableList::items() const {
  std::vector<Item> all;
  const std::size_t count = size();
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(get(static_cast<std::ptrdiff_t>(i)));
  }
  return all;
}

std::size_t ShareableList::count(const Item& item) const {
  return static_cast<std::size_t>(std::ranges::count(items(), item));
}

std::optional<std::size_t> ShareableList::index(const Item& item) const {
  const std::vector<Item> all = items();
  const auto found = std::ranges::find(all, item);
  if (found == all.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - all.begin());
}

std::string ShareableList::format() const {
  const ListLayout list = layout();
  std::string all;
  for (std::size_t i = 0; i < list.size(); ++i) {
    all += list.format(i);
  }
  return all;
}

void ShareableList::refuse(std::ptrdiff_t index, std::string_view asked, const Item& found,
                           bool asked_for_integer) {
  const std::string is = cpp_name(found);
  const auto* const number = std::get_if<std::int64_t>(&found);
  if (number != nullptr && asked_for_integer) {
    throw TypeMismatch(std::string(asked), is,
                       "asked for item " + std::to_string(index) + " of a ShareableList as " +
                           std::string(asked) + ", found " + std::to_string(*number) +
                           ", for which that has no room; ask for get<std::int64_t>");
  }
  throw TypeMismatch(std::string(asked), is,
                     "asked for item " + std::to_string(index) + " of a ShareableList as " +
                         std::string(asked) + ", found a " + is + " (Python's " +
                         python_name(found) + "); ask for that, get<" + is +
                         ">, or for an item of any type by get() without one");
}

}  // namespace procession
