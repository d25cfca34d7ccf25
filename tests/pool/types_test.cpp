// Arguments and results of every type that can be sent.

#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "kinds.hpp"
#include "procession/error.hpp"

namespace procession::pooltest {

struct Nothing {
  bool operator==(const Nothing&) const = default;
};
struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};
struct Shape {
  std::string name;
  std::vector<Point> corners;
  std::optional<Point> centre;
  Nothing nothing;
  bool operator==(const Shape&) const = default;
};
enum class Colour : std::uint8_t { red, green };

/// Says by itself how it is sent.
class Celsius {
 public:
  explicit Celsius(double degrees = 0) : degrees_(degrees) {}
  [[nodiscard]] double degrees() const { return degrees_; }
  bool operator==(const Celsius&) const = default;

 private:
  double degrees_;
};
void encode(Encoder& encoder, const Celsius& celsius) {
  procession::encode(encoder, celsius.degrees());
}
void decode(Decoder& decoder, Celsius& celsius) {
  celsius = Celsius(procession::decode<double>(decoder));
}

namespace {

/// Sends `value` there and back by apply and by map.
template <class T>
void expect_round_trip(detail::PoolMembers& pool, const T& value) {
  const auto same = [](const T& x) { return x; };
  EXPECT_EQ(pool.apply(same, value), value);
  const std::vector<T> values(5, value);
  EXPECT_EQ(pool.map(same, values), values);
  EXPECT_EQ(pool.map(same, values, {.chunksize = 2}), values);
  EXPECT_EQ(pool.apply(same, value), value);
  EXPECT_EQ(pool.apply([](const std::vector<T>& x) { return x; }, values), values);
}

template <class Kind>
class PoolTypes : public testing::Test {};
TYPED_TEST_SUITE(PoolTypes, PoolKinds, PoolKindNames);

TYPED_TEST(PoolTypes, Arithmetic) {
  TypeParam pool(2);
  expect_round_trip(pool, -5);
  expect_round_trip(pool, std::uint8_t{200});
  expect_round_trip(pool, std::int64_t{-1} << 40);
  expect_round_trip(pool, 2.5F);
  expect_round_trip(pool, 1e300);
  expect_round_trip(pool, 3.25L);
  expect_round_trip(pool, 'x');
  expect_round_trip(pool, Colour::green);
  expect_round_trip(pool, std::byte{7});
}

TYPED_TEST(PoolTypes, Bool) {
  TypeParam pool(2);
  expect_round_trip(pool, true);
  const std::vector<bool> odd = pool.map([](int x) { return x % 2 == 1; }, {1, 2, 3});
  EXPECT_EQ(odd, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(pool.map([](bool b) { return !b; }, odd), (std::vector<bool>{false, true, false}));
}

TYPED_TEST(PoolTypes, Strings) {
  TypeParam pool(2);
  expect_round_trip(pool, std::string());
  expect_round_trip(pool, std::string("short"));
  expect_round_trip(pool, std::string("with\0zero", 9));
  expect_round_trip(pool, std::string(100'000, 'l'));
  EXPECT_EQ(pool.map([](std::string_view s) { return s.size(); }, {"a", "bc", "def"}),
            (std::vector<std::size_t>{1, 2, 3}));
}

TYPED_TEST(PoolTypes, Containers) {
  TypeParam pool(2);
  expect_round_trip(pool, std::vector<int>{});
  expect_round_trip(pool, std::vector<int>{1, 2, 3});
  expect_round_trip(pool, std::vector<bool>{true, false});
  expect_round_trip(pool, std::vector<std::vector<std::string>>{{"a"}, {}, {"b", "c"}});
  expect_round_trip(pool, std::array<std::string, 2>{"x", "y"});
  expect_round_trip(pool, std::map<std::string, int>{{"one", 1}, {"two", 2}});
  expect_round_trip(pool, std::set<int>{3, 1, 2});
  expect_round_trip(pool, std::unordered_map<int, std::string>{{1, "a"}, {2, "b"}});
  expect_round_trip(pool, std::unordered_set<std::string>{"p", "q"});
}

TYPED_TEST(PoolTypes, Vocabulary) {
  TypeParam pool(2);
  expect_round_trip(pool, std::optional<std::string>());
  expect_round_trip(pool, std::optional<std::string>("there"));
  expect_round_trip(pool, std::variant<int, std::string, Point>("text"));
  expect_round_trip(pool, std::variant<int, std::string, Point>(Point{1, 2}));
  expect_round_trip(pool, std::tuple<int, std::string, Colour>(1, "a", Colour::red));
  expect_round_trip(pool, std::pair<int, std::vector<int>>(1, {2, 3}));
  expect_round_trip(pool, std::chrono::nanoseconds(12345));
  expect_round_trip(pool, std::chrono::system_clock::time_point(std::chrono::hours(3)));
  expect_round_trip(pool, std::filesystem::path("/usr/share/doc"));
}

TYPED_TEST(PoolTypes, Aggregates) {
  TypeParam pool(2);
  expect_round_trip(pool, Nothing{});
  expect_round_trip(pool, Point{1, -2});
  expect_round_trip(pool, Shape{"triangle", {{0, 0}, {1, 0}, {0, 1}}, Point{.3, .3}, {}});
  expect_round_trip(pool, std::vector<Shape>(100, Shape{"s", {{0, 0}}, {}, {}}));
  EXPECT_EQ(pool.map([](Nothing) { return Nothing{}; }, std::vector<Nothing>(10)).size(), 10U);
}

TYPED_TEST(PoolTypes, OwnEncoding) {
  TypeParam pool(2);
  expect_round_trip(pool, Celsius(21.5));
}

TYPED_TEST(PoolTypes, Pointers) {
  TypeParam pool(1);
  const auto made = pool.apply([](int n) { return std::make_unique<Point>(Point{1.0 * n, 0}); }, 3);
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(*made, (Point{3, 0}));
  const auto many = pool.map([](int n) { return std::make_unique<int>(n); }, {1, 2});
  EXPECT_EQ(*many.at(1), 2);
}

TYPED_TEST(PoolTypes, Void) {
  TypeParam pool(1);
  Tally tally;
  pool.apply([](Where where) { ++counter(where); }, tally.where());
  const AsyncResult<void> result =
      pool.apply_async([](Where where) { ++counter(where); }, tally.where());
  result.get();
  result.get();
  EXPECT_TRUE(result.successful());
  EXPECT_EQ(tally[0], 2U);
}

TYPED_TEST(PoolTypes, LargeResultsOfSmallArguments) {
  TypeParam pool(2);
  const auto text =
      pool.apply([](std::size_t n) { return std::string(n, 'r'); }, std::size_t{6} << 20U);
  EXPECT_EQ(text.size(), std::size_t{6} << 20U);
  EXPECT_EQ(text.find_first_not_of('r'), std::string::npos);
  const auto blocks =
      pool.map([](int i) { return std::vector<int>(static_cast<std::size_t>(i) * 50'000, i); },
               {0, 1, 2, 30, 1, 0}, {.chunksize = 4});
  ASSERT_EQ(blocks.size(), 6U);
  EXPECT_EQ(blocks[3], std::vector<int>(1'500'000, 30));
  EXPECT_EQ(blocks[4], std::vector<int>(50'000, 1));
  EXPECT_TRUE(blocks[5].empty());
}

TYPED_TEST(PoolTypes, LargeArgumentsOfSmallResults) {
  TypeParam pool(2);
  const std::vector<std::uint64_t> numbers(1'000'000, 2);
  EXPECT_EQ(pool.apply(
                [](const std::vector<std::uint64_t>& all) {
                  std::uint64_t sum = 0;
                  for (const auto one : all) {
                    sum += one;
                  }
                  return sum;
                },
                numbers),
            2'000'000U);
}

// Around the sizes at which a task or a result no longer fits into its slot.
TYPED_TEST(PoolTypes, EverySizeAroundASlot) {
  TypeParam pool(1);
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string text(size, 's');
    ASSERT_EQ(pool.apply([](const std::string& s) { return s; }, text), text);
    ASSERT_EQ(pool.map([](const std::string& s) { return s; }, std::vector{text, text}),
              (std::vector{text, text}));
  }
}

}  // namespace
}  // namespace procession::pooltest
