// Every kind of value there and back.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>

#include "codec_support.hpp"

namespace {

using namespace codec_test;
using namespace std::chrono_literals;

template <class T>
class Arithmetic : public testing::Test {};
using ArithmeticTypes =
    testing::Types<bool, char, signed char, unsigned char, wchar_t, char8_t, char16_t, char32_t,
                   short, unsigned short, int, unsigned, long, unsigned long, long long,
                   unsigned long long, float, double, long double>;
TYPED_TEST_SUITE(Arithmetic, ArithmeticTypes);

TYPED_TEST(Arithmetic, ExtremesComeBack) {
  using Limits = std::numeric_limits<TypeParam>;
  for (const TypeParam value :
       {Limits::lowest(), Limits::min(), TypeParam{0}, TypeParam{1}, Limits::max()}) {
    EXPECT_EQ(round_trip(value), value);
    EXPECT_EQ(round_trip(std::vector<TypeParam>(3, value)), std::vector<TypeParam>(3, value));
    EXPECT_EQ(round_trip(std::optional<TypeParam>(value)), value);
  }
}

TEST(Value, FloatingPointKeepsEveryBit) {
  EXPECT_TRUE(std::isnan(round_trip(std::nan(""))));
  EXPECT_TRUE(std::signbit(round_trip(-0.0)));
  expect_same(std::numeric_limits<double>::denorm_min());
  expect_same(-std::numeric_limits<float>::infinity());
}

TEST(Value, Enums) {
  enum class Fixed : unsigned char { one = 1, last = 255 };
  enum Plain { red, green };
  enum class Switch : bool { off, on };
  expect_same(Fixed::last);
  expect_same(green);
  expect_same(Switch::on);
  expect_same(std::vector<Fixed>{Fixed::one, Fixed::last});
  expect_same(std::byte{0xff});
  EXPECT_THROW(decoded<Switch>(bytes_of({2})), mp::DecodeError);
}

TEST(Value, Text) {
  expect_same(std::string());
  expect_same(std::string("with \0 inside", 13));
  expect_same(std::string(100000, 'x'));
  expect_same(std::u16string(u"\u00e4\u20ac"));
  expect_same(std::wstring(L"wide"));
}

TEST(Value, Chrono) {
  expect_same(5ns);
  expect_same(std::chrono::duration<double, std::milli>(1.25));
  expect_same(std::chrono::system_clock::now());
  expect_same(std::chrono::steady_clock::time_point::max());
  expect_same(std::vector<std::chrono::seconds>{1s, -1s});
}

TEST(Value, Paths) {
  expect_same(std::filesystem::path());
  expect_same(std::filesystem::path("/usr/share/doc"));
  expect_same(std::vector<std::filesystem::path>{"a", "b/c"});
}

TEST(Value, ViewsArriveAsWhatOwns) {
  const std::vector<int> numbers{1, 2, 3};
  const std::vector<std::string> words{"a", "b"};
  const bool flags[] = {true, false, true};
  EXPECT_EQ(decoded<std::vector<int>>(encoded(std::span(numbers))), numbers);
  EXPECT_EQ(decoded<std::vector<std::string>>(encoded(std::span(words))), words);
  EXPECT_EQ(decoded<std::vector<bool>>(encoded(std::span(flags))),
            (std::vector<bool>{true, false, true}));
  EXPECT_EQ(decoded<std::string>(encoded(std::string_view("view"))), "view");
  EXPECT_EQ(decoded<std::u16string>(encoded(std::u16string_view(u"view"))), u"view");
  const char* const text = "text";
  EXPECT_EQ(decoded<std::string>(encoded(text)), "text");
  const char* const nothing = nullptr;
  try {
    encoded(nothing);
    ADD_FAILURE() << "it threw nothing";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "asked to send a `const char*` as text, found a null pointer; send an empty "
                 "string or a std::optional<std::string>");
  }
  static_assert(std::is_same_v<mp::Stored<const char(&)[5]>, std::string>);
  static_assert(std::is_same_v<mp::Stored<std::span<const int>>, std::vector<int>>);
  static_assert(std::is_same_v<mp::Stored<const std::vector<int>&>, std::vector<int>>);
}

}  // namespace
