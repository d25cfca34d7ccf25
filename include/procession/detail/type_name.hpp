#pragma once

#include <string_view>

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
  constexpr std::string_view kName = pretty_function<T>();
  // g++ goes on with "; std::string_view = ...", clang with "]".
  constexpr std::size_t kAfter = kProbe.size() - kBefore - 6;
  return kName.substr(kBefore, kName.size() - kBefore - kAfter);
}

}  // namespace procession::detail

namespace procession {

/// A readable name of T.
template <class T>
constexpr std::string_view type_name() {
  return detail::raw_type_name<T>();
}

}  // namespace procession
