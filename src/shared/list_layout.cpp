#include "shared/list_layout.hpp"

#include <algorithm>

namespace procession::shared {

ListLayout::ListLayout(std::span<std::byte> memory) : memory_(memory) {
  if (memory.size() < 2 * kWord) {
    fault_ = "it has " + std::to_string(memory.size()) + " bytes, and a list has 16 at least";
    return;
  }
  const std::uint64_t size = word(0);
  if (size > memory.size() / kWord - 2) {
    fault_ = "it says that it has " + std::to_string(size) + " items, which it has no room for";
    return;
  }
  size_ = size;
  const std::uint64_t behind = memory.size() - data();
  const std::uint64_t taken = offset(size);
  if (taken > behind || size * (kWord + 1) > behind - taken) {
    fault_ =
        "it says that its items take " + std::to_string(taken) + " bytes, which it has no room for";
    return;
  }
  formats_ = memory.data() + data() + taken;
}

std::optional<std::string> ListLayout::fault_of_items() const {
  for (std::uint64_t i = 0; !fault_ && i < size_; ++i) {
    if (!room(i)) {
      return "item " + std::to_string(i) + " lies outside of it";
    }
  }
  return fault_;
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
  const auto* const text = reinterpret_cast<const char*>(formats_ + index * kWord);
  return {text, std::find(text, text + kWord, '\0')};
}

void ListLayout::set_format(std::uint64_t index, const std::string& format) const {
  char text[kWord] = {};
  format.copy(text, kWord);
  std::memcpy(formats_ + index * kWord, text, kWord);
}

Origin ListLayout::origin(std::uint64_t index) const {
  return static_cast<Origin>(formats_[size_ * kWord + index]);
}

void ListLayout::set_origin(std::uint64_t index, Origin origin) const {
  formats_[size_ * kWord + index] = static_cast<std::byte>(origin);
}

}  // namespace procession::shared
