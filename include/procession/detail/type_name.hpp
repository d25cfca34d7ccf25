#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include "procession/detail/requirements.hpp"

// Names of types, made at compile time out of what the compiler prints, and alike for g++ and clang
// as far as types that are sent go: standard templates without their allocators and comparators,
// `std::string` by that name.
namespace procession::detail {

template <class T>
constexpr std::string_view pretty_function() {
  return __PRETTY_FUNCTION__;
}

/// A type's name as this compiler spells it.
template <class T>
constexpr std::string_view raw_type_name() {
  constexpr std::string_view kProbe = pretty_function<double>();
  constexpr std::size_t kBefore = kProbe.find("T = double") + 4;
  // g++ goes on with "; std::string_view = ...", clang with "]".
  constexpr std::size_t kAfter = kProbe.size() - kBefore - std::string_view("double").size();
  constexpr std::string_view kName = pretty_function<T>();
  return kName.substr(kBefore, kName.size() - kBefore - kAfter);
}

/// A name being put together. What does not fit is left out.
class NameBuilder {
 public:
  constexpr std::string_view view() const { return {text_.data(), size_}; }

  constexpr void add(std::string_view part) {
    for (const char c : part) {
      if (size_ != text_.size()) {
        text_[size_++] = c;
      }
    }
  }

  constexpr void add_number(std::size_t number) {
    if (number >= 10) {
      add_number(number / 10);
    }
    const char digit = static_cast<char>('0' + number % 10);
    add({&digit, 1});
  }

  /// Adds a compiler's spelling with the differences between compilers evened out.
  constexpr void add_evened(std::string_view raw) {
    while (!raw.empty()) {
      const Spelling* const spelling =
          std::find_if(std::begin(kSpellings), std::end(kSpellings),
                       [&](const Spelling& known) { return raw.starts_with(known.printed); });
      if (spelling != std::end(kSpellings)) {
        add(spelling->meant);
        raw.remove_prefix(spelling->printed.size());
      } else {
        add(raw.substr(0, 1));
        raw.remove_prefix(1);
      }
    }
  }

 private:
  struct Spelling {
    std::string_view printed;
    std::string_view meant;
  };
  // Longer ones before those that they begin with.
  static constexpr Spelling kSpellings[] = {
      {"__cxx11::", ""},
      {"_V2::", ""},
      {"{anonymous}", "(anonymous namespace)"},
      {"<unnamed>", "(anonymous namespace)"},
      {"> >", ">>"},
      {"long long unsigned int", "unsigned long long"},
      {"long long int", "long long"},
      {"long unsigned int", "unsigned long"},
      {"long int", "long"},
      {"short unsigned int", "unsigned short"},
      {"short int", "short"},
      {"std::basic_string<char>", "std::string"},
  };

  std::array<char, 1024> text_{};
  std::size_t size_ = 0;
};

template <class T>
constexpr std::string_view name_of();

/// Whether T is one of the standard arguments that nobody writes.
template <class T>
constexpr bool is_silent_argument() {
  constexpr std::string_view kName = raw_type_name<T>();
  for (const std::string_view silent : {"std::allocator<", "std::char_traits<", "std::less<",
                                        "std::hash<", "std::equal_to<", "std::default_delete<"}) {
    if (kName.starts_with(silent)) {
      return true;
    }
  }
  return false;
}

/// `Template` of "Template<Args>": up to the bracket that matches the last one.
constexpr std::string_view before_arguments(std::string_view name) {
  std::size_t depth = 0;
  for (std::size_t i = name.size(); i != 0; --i) {
    const char c = name[i - 1];
    if (c == '>') {
      ++depth;
    } else if (c == '<' && --depth == 0) {
      return name.substr(0, i - 1);
    }
  }
  return name;
}

template <class T>
struct NameOf {
  static constexpr void write(NameBuilder& name) { name.add_evened(raw_type_name<T>()); }
};

template <class T>
struct NameOf<const T> {
  static constexpr void write(NameBuilder& name) {
    name.add("const ");
    name.add(name_of<T>());
  }
};

template <class T, std::size_t N>
struct NameOf<T[N]> {
  static constexpr void write(NameBuilder& name) {
    name.add(name_of<T>());
    name.add("[");
    name.add_number(N);
    name.add("]");
  }
};

template <class T, std::size_t N>
struct NameOf<std::array<T, N>> {
  static constexpr void write(NameBuilder& name) {
    name.add("std::array<");
    name.add(name_of<T>());
    name.add(", ");
    name.add_number(N);
    name.add(">");
  }
};

template <>
struct NameOf<std::string> {
  static constexpr void write(NameBuilder& name) { name.add("std::string"); }
};

template <template <class...> class Template, class... Args>
struct NameOf<Template<Args...>> {
  static constexpr void write(NameBuilder& name) {
    name.add_evened(before_arguments(raw_type_name<Template<Args...>>()));
    name.add("<");
    [[maybe_unused]] bool first = true;
    (write_argument<Args>(name, first), ...);
    name.add(">");
  }

 private:
  template <class Arg>
  static constexpr void write_argument(NameBuilder& name, bool& first) {
    if constexpr (!is_silent_argument<Arg>()) {
      name.add(first ? "" : ", ");
      name.add(name_of<Arg>());
      first = false;
    }
  }
};

template <class T>
constexpr NameBuilder build_name() {
  NameBuilder name;
  NameOf<T>::write(name);
  return name;
}

template <class T>
constexpr auto trimmed_name() {
  constexpr NameBuilder kName = build_name<T>();
  std::array<char, kName.view().size()> text{};
  std::copy(kName.view().begin(), kName.view().end(), text.begin());
  return text;
}

template <class T>
inline constexpr auto kNameText = trimmed_name<T>();

template <class T>
constexpr std::string_view name_of() {
  return {kNameText<T>.data(), kNameText<T>.size()};
}

}  // namespace procession::detail

namespace procession {

/// A readable name of T, such as "std::vector<std::string>" or "geometry::Point". It lives as long
/// as the program.
template <class T>
constexpr std::string_view type_name() {
  return detail::name_of<T>();
}

}  // namespace procession
