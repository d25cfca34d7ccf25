#include <locale.h>
#include <wchar.h>
#include <wctype.h>

#include <utility>

#include "platform/text_width.hpp"

namespace procession::platform {

namespace {

/// The one locale that every glibc has in which all characters have their properties; where it has
/// been left out of an image, it is none.
locale_t unicode_locale() {
  static const locale_t one = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return one;
}

/// This thread's locale is that one, to the end of the scope.
class InUnicode {
 public:
  InUnicode() : before_(unicode_locale() != nullptr ? ::uselocale(unicode_locale()) : nullptr) {}
  InUnicode(const InUnicode&) = delete;
  InUnicode& operator=(const InUnicode&) = delete;
  ~InUnicode() {
    if (before_ != nullptr) ::uselocale(before_);
  }

 private:
  locale_t before_;
};

/// Takes the next character off the text; nothing where its first byte does not begin one.
char32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  std::size_t size = 1;
  char32_t code = first;
  if (first >= 0x80) {
    size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    code = first & (0x7fU >> size);
    bool whole = first >= 0xc2 && first <= 0xf4 && text.size() >= size;
    for (std::size_t i = 1; i < size && whole; ++i) {
      whole = (byte(i) & 0xc0U) == 0x80;
      code = code << 6U | (byte(i) & 0x3fU);
    }
    constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!whole || code < kLeast[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      text.remove_prefix(1);
      return 0;
    }
  }
  text.remove_prefix(size);
  return code;
}

/// Whether it says in which direction those behind it are written.
bool turns_text(char32_t code) {
  return code == 0x61c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

/// With the locale set.
std::size_t columns_of_one(char32_t code) {
  if (code < 0x7f) return 1;
  const int columns = unicode_locale() != nullptr ? ::wcwidth(static_cast<wchar_t>(code)) : -1;
  return columns >= 0 ? static_cast<std::size_t>(columns) : 2;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::string_view before = text;
    const unsigned char first = static_cast<unsigned char>(text.front());
    const char32_t code = take_character(text);
    if (first >= 0x80 && code == 0) {
      shown += '?';
    } else if (is_control(code) || turns_text(code)) {
      shown += ' ';
    } else {
      shown += before.substr(0, before.size() - text.size());
    }
  }
  return shown;
}

std::size_t columns_of(std::string_view printable) {
  const InUnicode locale;
  std::size_t columns = 0;
  while (!printable.empty()) {
    columns += columns_of_one(take_character(printable));
  }
  return columns;
}

void cut_to_columns(std::string& printable, std::size_t columns) {
  const InUnicode locale;
  std::string_view rest = printable;
  std::size_t taken = 0;
  while (!rest.empty()) {
    const std::size_t place = printable.size() - rest.size();
    taken += columns_of_one(take_character(rest));
    if (taken > columns) {
      printable.resize(place);
      return;
    }
  }
}

}  // namespace procession::platform
