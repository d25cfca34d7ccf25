#pragma once

#include <cstddef>

namespace procession {

/// Stands for the fields of a struct of which some are bit-fields, in errors of the compiler.
struct bit_fields {          // NOLINT(readability-identifier-naming): part of a sentence
  constexpr bit_fields() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

}  // namespace procession

namespace procession::detail {

/// The largest number of fields.
inline constexpr std::size_t kMaxFields = 40;

/// For each number N of fields, because C++20 has no structured binding of a pack:
/// `visit(aggregate, f)` calls `f` with references to the N fields of an aggregate, with a
/// `bit_fields` instead where some of them are that;
/// `takes_braces<T, V...>()` says whether a T can be initialised by N pairs of empty braces, and a
/// V each after them.
template <std::size_t N>
struct Bindings;

template <class... Field>
void refer_to(Field&...);

template <class F>
constexpr auto visit_bit_fields(F&& f) {
  bit_fields instead;
  return f(instead);
}

// No reference can be made to a bit-field.
#define PROCESSION_VISIT(...)                        \
  auto& [__VA_ARGS__] = value;                       \
  if constexpr (requires { refer_to(__VA_ARGS__); }) \
    return f(__VA_ARGS__);                           \
  else                                               \
    return visit_bit_fields(f);

// clang-format off
template <> struct Bindings<1> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},V{}...}; };
  }
};
template <> struct Bindings<2> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},V{}...}; };
  }
};
template <> struct Bindings<3> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},V{}...}; };
  }
};
template <> struct Bindings<4> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<5> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<6> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<7> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<8> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<9> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<10> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<11> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<12> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<13> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<14> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<15> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<16> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<17> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<18> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<19> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<20> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<21> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},V{}...}; };
  }
};
template <> struct Bindings<22> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},V{}...}; };
  }
};
template <> struct Bindings<23> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},V{}...}; };
  }
};
template <> struct Bindings<24> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<25> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<26> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<27> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<28> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<29> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<30> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<31> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<32> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<33> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<34> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<35> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<36> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<37> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<38> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36,
      f37)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<39> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36,
      f37, f38)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<40> {
  template <class T, class F> static constexpr auto visit(T& value, F&& f) {
    PROCESSION_VISIT(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
      f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36,
      f37, f38, f39)
  }
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
template <> struct Bindings<41> {
  template <class T, class... V> static constexpr bool takes_braces() {
    return requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},
                        {},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},V{}...}; };
  }
};
// clang-format on

#undef PROCESSION_VISIT

}  // namespace procession::detail
