#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "procession/detail/codec_traits.hpp"
#include "procession/detail/type_name.hpp"

// Numbers that tell types apart: a hash (64-bit FNV-1a) of a type's name and of all it consists of.
// The same for g++ and clang; another one when a struct of the same name has got a field more in
// another build.
namespace procession::detail {

class Fingerprint {
 public:
  constexpr std::uint64_t value() const { return hash_; }

  /// Of a type whose bytes are shared rather than encoded.
  static constexpr std::uint64_t of(std::string_view name, std::size_t size) {
    Fingerprint print;
    print.add(name);
    print.add(static_cast<std::uint64_t>(size));
    return print.value();
  }

  constexpr void add(std::string_view text) {
    for (const char c : text) {
      add_byte(static_cast<unsigned char>(c));
    }
    add_byte(0);
  }

  constexpr void add(std::uint64_t number) {
    for (unsigned shift = 0; shift != 64; shift += 8) {
      add_byte(static_cast<unsigned char>(number >> shift & 0xff));
    }
  }

 private:
  constexpr void add_byte(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }

  std::uint64_t hash_ = 0xcbf29ce484222325;
};

/// Arithmetic types by what they hold rather than by name: `long` and `long long` of the same size
/// are one.
template <class T>
constexpr std::string_view arithmetic_family() {
  if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "float";
  } else if constexpr (std::is_same_v<T, char> || std::is_same_v<T, wchar_t> ||
                       std::is_same_v<T, char8_t> || std::is_same_v<T, char16_t> ||
                       std::is_same_v<T, char32_t>) {
    return "char";
  } else {
    return std::is_signed_v<T> ? "int" : "uint";
  }
}

template <class T, class... Outer>
constexpr std::uint64_t fingerprint_in();

template <class... Part, class... Outer>
constexpr void add_parts(Fingerprint& print, TypeList<Part...>, TypeList<Outer...>) {
  print.add(sizeof...(Part));
  (print.add(fingerprint_in<Part, Outer...>()), ...);
}

/// `Outer`: the aggregates that T is a part of, where one may meet T again.
template <class T, class... Outer>
constexpr std::uint64_t fingerprint_in() {
  constexpr Kind kind = kKind<T>;
  Fingerprint print;
  print.add(static_cast<std::uint64_t>(kind));
  if constexpr (std::is_arithmetic_v<T>) {
    print.add(arithmetic_family<T>());
    print.add(sizeof(T));
  } else if constexpr (std::is_enum_v<T>) {
    print.add(type_name<T>());
    print.add(sizeof(T));
  } else if constexpr ((std::is_same_v<T, Outer> || ...) || kind == Kind::hooked) {
    print.add(type_name<T>());
  } else if constexpr (kind == Kind::aggregate) {
    print.add(type_name<T>());
    print.add(sizeof(T));
    add_parts(print, PartsOf<T>{}, TypeList<T, Outer...>{});
  } else if constexpr (kind == Kind::array) {
    print.add(kExtent<T>);
    add_parts(print, PartsOf<T>{}, TypeList<Outer...>{});
  } else if constexpr (kind == Kind::text) {
    print.add(sizeof(typename T::value_type));
  } else if constexpr (kind == Kind::duration) {
    print.add(static_cast<std::uint64_t>(T::period::num));
    print.add(static_cast<std::uint64_t>(T::period::den));
    add_parts(print, PartsOf<T>{}, TypeList<Outer...>{});
  } else if constexpr (kind == Kind::time_point) {
    print.add(type_name<typename T::clock>());
    add_parts(print, PartsOf<T>{}, TypeList<Outer...>{});
  } else {
    print.add(before_arguments(type_name<T>()));
    add_parts(print, PartsOf<T>{}, TypeList<Outer...>{});
  }
  return print.value();
}

[[noreturn]] void throw_type_mismatch(std::string_view asked, std::uint64_t fingerprint,
                                      std::string_view found);

}  // namespace procession::detail

namespace procession {

/// A number that differs for types that differ, for a message to carry beside its value.
template <class T>
constexpr std::uint64_t fingerprint() {
  constexpr std::uint64_t kValue = detail::fingerprint_in<T>();  // computed by the compiler
  return kValue;
}

/// Throws `TypeMismatch` unless `found` is the fingerprint of T. `name` is that of the type that
/// was sent, where known.
template <class T>
void expect_type(std::uint64_t found, std::string_view name = {}) {
  if (found != fingerprint<T>()) {
    detail::throw_type_mismatch(type_name<T>(), found, name);
  }
}

}  // namespace procession
