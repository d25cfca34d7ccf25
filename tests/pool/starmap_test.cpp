// starmap: the parts of each element are the arguments.

#include <array>
#include <list>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "kinds.hpp"
#include "procession/exception.hpp"

namespace procession::pooltest {

/// A type with the tuple protocol of its own.
class Place {
 public:
  Place(int x, int y) : x_(x), y_(y) {}
  template <std::size_t I>
  [[nodiscard]] int get() const {
    return I == 0 ? x_ : y_;
  }

 private:
  int x_, y_;
};

}  // namespace procession::pooltest

template <>
struct std::tuple_size<procession::pooltest::Place> : std::integral_constant<std::size_t, 2> {};
template <std::size_t I>
struct std::tuple_element<I, procession::pooltest::Place> : std::type_identity<int> {};

namespace procession::pooltest {
namespace {

int minus(int a, int b) { return a - b; }
std::string repeat(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

template <class Kind>
class PoolStarmap : public testing::Test {};
TYPED_TEST_SUITE(PoolStarmap, PoolKinds, PoolKindNames);

TYPED_TEST(PoolStarmap, ElementsOfEveryKind) {
  TypeParam pool(2);
  const std::vector<int> expected{1, 5};
  EXPECT_EQ(pool.starmap(minus, std::vector<std::pair<int, int>>{{3, 2}, {9, 4}}), expected);
  EXPECT_EQ(pool.starmap(minus, {std::tuple(3, 2), std::tuple(9, 4)}), expected);
  EXPECT_EQ(pool.starmap(minus, std::list<std::array<int, 2>>{{3, 2}, {9, 4}}), expected);
  EXPECT_EQ(pool.starmap(minus, {Place(3, 2), Place(9, 4)}), expected);
  struct Difference {
    int from;
    int what;
  };
  EXPECT_EQ(pool.starmap(minus, {Difference{3, 2}, Difference{9, 4}}), expected);
  EXPECT_EQ(pool.starmap(minus, std::views::iota(0, 2) | std::views::transform([](int i) {
                                  return std::pair(3 + 6 * i, 2 + 2 * i);
                                })),
            expected);
  EXPECT_EQ(pool.starmap([](int x) { return x; }, {std::tuple(1), std::tuple(5)}), expected);
  EXPECT_EQ(pool.starmap([] { return 1; }, {std::tuple(), std::tuple()}), (std::vector<int>{1, 1}));
}

TYPED_TEST(PoolStarmap, ArgumentsAreKeptAsOthersAre) {
  TypeParam pool(2);
  EXPECT_EQ(pool.starmap(repeat, {std::pair<const char*, int>("ab", 2), {"c", 3}}),
            (std::vector<std::string>{"abab", "ccc"}));
  EXPECT_EQ(pool.starmap(repeat, {std::pair(std::string_view("ab"), std::size_t{1})}),
            (std::vector<std::string>{"ab"}));
  std::vector<std::pair<std::unique_ptr<int>, int>> owned;
  owned.emplace_back(std::make_unique<int>(4), 5);
  EXPECT_EQ(pool.starmap([](const std::unique_ptr<int>& a, int b) { return *a * b; }, owned),
            (std::vector<int>{20}));
}

TYPED_TEST(PoolStarmap, ManyInChunks) {
  TypeParam pool(2);
  std::vector<std::pair<int, int>> pairs;
  for (int i = 0; i < 1000; ++i) {
    pairs.emplace_back(2 * i, i);
  }
  for (const std::size_t chunksize : {0U, 1U, 7U}) {
    const auto result = pool.starmap_async(minus, pairs, {.chunksize = chunksize});
    const std::vector<int> differences = result.get();
    ASSERT_EQ(differences.size(), 1000U);
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(differences[static_cast<std::size_t>(i)], i);
    }
  }
}

TYPED_TEST(PoolStarmap, FailsByElement) {
  TypeParam pool(2);
  try {
    pool.starmap([](int a, int b) { return b == 0 ? throw std::domain_error("by zero") : a / b; },
                 {std::pair(1, 1), std::pair(1, 0)});
    FAIL();
  } catch (const std::domain_error& error) {
    ASSERT_NE(remote_trace(error), nullptr);
    EXPECT_EQ(remote_trace(error)->task_index(), 1U);
  }
  Tally tally(3);
  pool.starmap([](Where where, std::size_t i) { ++counter(where, i); },
               {std::pair(tally.where(), std::size_t{0}), {tally.where(), 1}, {tally.where(), 2}});
  EXPECT_EQ(tally.other_than(1), 0U);
}

TEST(ThreadPool, IsAPoolOnThreads) {
  ThreadPool pool(3);
  EXPECT_EQ(pool.size(), 3U);
  EXPECT_EQ(pool.apply([] { return static_cast<int>(::getpid()); }), ::getpid());
  int sum = 0;
  pool.apply([&sum] { sum += 1; });
  EXPECT_EQ(sum, 1);
  EXPECT_THROW(ThreadPool({.processes = 1, .start_method = StartMethod::fork}),
               std::invalid_argument);
  ThreadPool moved(std::move(pool));
  pool = ThreadPool(1);
  EXPECT_EQ(pool.size(), 1U);
  EXPECT_EQ(moved.size(), 3U);
}

}  // namespace
}  // namespace procession::pooltest
