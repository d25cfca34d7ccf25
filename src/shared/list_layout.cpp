#include "shared/list_layout.hpp"

#include <algorithm>

namespace procession::shared {

std::optional<std::string> ListLayout::fault() const {
  if (memory_.size() < 2 * kWord) {
    return "it has " + std::to_string(memory_.size()) + " bytes, and a list has 16 at least";
  }
  if (size() > memory_.size() / kWord || (size() + 2) * kWord > memory_.size()) {
    return "it says that it has " + std::to_string(size()) + " items, which it has no room for";
  }
  const std::uint64_t behind = memory_.size() - data();
  if (offset(size()) > behind || size() * (kWord + 1) > behind - offset(size())) {
    return "it says that its items take " + std::to_string(offset(size())) +
           " bytes, which it has no room for";
  }
  for (std::uint64_t i = 0; i < size(); ++i) {
    if (!room(i)) {
      return "item " + std::to_string(i) + " lies outside of it";
    }
  }
  return std::nullopt;
}

std::optional<std::span<std::byte>> ListLayout::room(std::uint64_t index) const {
  const std::uint64_t begin = offset(index);
  const std::uint64_t end = offset(index + 1);
  if (begin > end || end - begin < kWord || end > memory_.size() - data()) {
    return std::nullopt;
  }
  return memory_.subspan(data() + begin, end - begin);
}

std::string ListLayout::format(std::uint64_t index) const {
  const auto* const text = reinterpret_cast<const char*>(formats() + index * kWord);
  return {text, std::find(text, text + kWord, '\0')};
}

void ListLayout::set_format(std::uint64_t index, const std::string& format) const {
  char text[kWord] = {};
  format.copy(text, kWord);
  std::memcpy(formats() + index * kWord, text, kWord);
}

Origin ListLayout::origin(std::uint64_t index) const {
  return static_cast<Origin>(formats()[size() * kWord + index]);
}

void ListLayout::set_origin(std::uint64_t index, Origin origin) const {
  formats()[size() * kWord + index] = static_cast<std::byte>(origin);
}

}  // namespace procession::shared
