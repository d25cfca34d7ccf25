// Every operator of a Value, for every arithmetic type, against what C++ does to a plain T.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "procession/value.hpp"

// What plain C++ does here, it does with a warning.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wfloat-conversion"

namespace sync_test {
namespace {

namespace mp = procession;

template <class T>
class ValueOf : public testing::Test {};

using Arithmetic =
    testing::Types<bool, char, signed char, unsigned char, wchar_t, char8_t, char16_t, char32_t,
                   short, unsigned short, int, unsigned, long, unsigned long, long long,
                   unsigned long long, float, double, long double>;
TYPED_TEST_SUITE(ValueOf, Arithmetic);

/// Ordinary numbers, and those at which a step back does not undo a step.
template <class T>
std::vector<T> samples() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> all{T(0),   T(1),          T(-1),         T(2),
                     T(100), Limits::min(), Limits::max(), Limits::lowest()};
  if constexpr (std::is_floating_point_v<T>) {
    const T exact = std::ldexp(T(1), Limits::digits);  // here steps of 1 end
    for (const T one :
         {T(0.1), T(0.7), T(-0.0), T(1e30), exact, exact - 1, -exact, Limits::epsilon() / 2,
          Limits::denorm_min(), Limits::infinity(), Limits::quiet_NaN()})
      all.push_back(one);
  }
  return all;
}

template <class T>
bool same(T one, T other) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(one)) return std::isnan(other);
    return one == other && std::signbit(one) == std::signbit(other);
  } else {
    return one == other;
  }
}

/// Whether plain C++ says what `a + b` is, or `a - b`.
template <class T, class U>
bool defined(T a, U b, bool minus) {
  using Result = decltype(a + b);
  if constexpr (std::is_integral_v<Result> && std::is_signed_v<Result>) {
    Result ignored;
    return !(minus ? __builtin_sub_overflow(Result(a), Result(b), &ignored)
                   : __builtin_add_overflow(Result(a), Result(b), &ignored));
  } else if constexpr (std::is_floating_point_v<Result> && std::is_integral_v<T>) {
    const long double sum = minus ? (long double)(a)-b : (long double)(a) + b;
    using Limits = std::numeric_limits<T>;
    return std::is_same_v<T, bool> ||
           (sum > (long double)(Limits::lowest())-1 && sum < (long double)(Limits::max()) + 1);
  } else {
    return true;
  }
}

/// What both returned and became.
template <class T>
void expect_same(const mp::Value<T>& value, T returned, T plain, T plain_returned, T start,
                 const char* what) {
  const auto text = [](T number) { return std::to_string((long double)(number)); };
  EXPECT_TRUE(same(returned, plain_returned)) << what << " of " << text(start) << " returned "
                                              << text(returned) << ", not " << text(plain_returned);
  EXPECT_TRUE(same(value.value(), plain)) << what << " of " << text(start) << " made it "
                                          << text(value.value()) << ", not " << text(plain);
}

TYPED_TEST(ValueOf, StepsAsAPlainOne) {
  using T = TypeParam;
  for (const T start : samples<T>()) {
    // C++17 has no ++ of a bool, which set it, and -- of one there never was.
    const auto up = [](T& plain) {
      if constexpr (std::is_same_v<T, bool>) {
        plain = true;
      } else {
        ++plain;
      }
    };
    const auto down = [](T& plain) {
      if constexpr (std::is_same_v<T, bool>) {
        plain = !plain;
      } else {
        --plain;
      }
    };
    if (defined(start, T(1), false)) {
      T plain = start;
      up(plain);
      const mp::Value<T> before(start);
      expect_same(before, ++before, plain, plain, start, "++x");
      const mp::Value<T> after(start);
      expect_same(after, after++, plain, start, start, "x++");
    }
    if (defined(start, T(1), true)) {
      T plain = start;
      down(plain);
      const mp::Value<T> before(start);
      expect_same(before, --before, plain, plain, start, "--x");
      const mp::Value<T> after(start);
      expect_same(after, after--, plain, start, start, "x--");
    }
  }
}

template <class T, class U>
void add_and_subtract() {
  for (const T start : samples<T>()) {
    for (const U other : samples<U>()) {
      const mp::Value<T> value(start);
      if (defined(start, other, false)) {
        T plain = start;
        plain = static_cast<T>(plain + other);
        const T returned = value += other;
        expect_same(value, returned, plain, plain, start, "x += y");
      }
      value.set_value(start);
      if (defined(start, other, true)) {
        T plain = start;
        plain = static_cast<T>(plain - other);
        const T returned = value -= other;
        expect_same(value, returned, plain, plain, start, "x -= y");
      }
    }
  }
}

TYPED_TEST(ValueOf, AddsAndSubtractsAsAPlainOne) { add_and_subtract<TypeParam, TypeParam>(); }

TYPED_TEST(ValueOf, TakesAnotherTypeAsItIs) {
  add_and_subtract<TypeParam, int>();
  add_and_subtract<TypeParam, double>();
}

TYPED_TEST(ValueOf, IsWhatItWasMadeOfAndSetTo) {
  using T = TypeParam;
  for (const T start : samples<T>()) {
    const mp::Value<T> value(start);
    EXPECT_TRUE(same(value.value(), start));
    for (const T next : samples<T>()) {
      value.set_value(next);
      EXPECT_TRUE(same(value.value(), next));
      EXPECT_TRUE(same(value.unsynchronized(), next));
      EXPECT_TRUE(same(value.update([&](T) { return start; }), start));
      EXPECT_TRUE(same(value.value(), start));
      EXPECT_TRUE(same(value.update([&](T& old) { old = next; }), next));
      EXPECT_TRUE(same(value.value(), next));
    }
  }
}

}  // namespace
}  // namespace sync_test

#pragma GCC diagnostic pop
