// What can be mapped, and in which pieces.

#include <deque>
#include <iterator>
#include <limits>
#include <list>
#include <memory>
#include <numeric>
#include <random>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "kinds.hpp"
#include "procession/error.hpp"

namespace procession::pooltest {
namespace {

std::vector<int> squares(int from, int to) {
  std::vector<int> all;
  for (int i = from; i < to; ++i) {
    all.push_back(i * i);
  }
  return all;
}

template <class Kind>
class PoolMap : public testing::Test {};
TYPED_TEST_SUITE(PoolMap, PoolKinds, PoolKindNames);

TYPED_TEST(PoolMap, RangesOfEveryKind) {
  TypeParam pool(2);
  const std::vector<int> expected = squares(0, 10);
  std::vector<int> vector(10);
  std::iota(vector.begin(), vector.end(), 0);
  const std::vector<int>& constant = vector;
  EXPECT_EQ(pool.map(square, vector), expected);
  EXPECT_EQ(pool.map(square, constant), expected);
  EXPECT_EQ(pool.map(square, std::vector<int>(vector)), expected);
  EXPECT_EQ(pool.map(square, std::list<int>(vector.begin(), vector.end())), expected);
  EXPECT_EQ(pool.map(square, std::deque<int>(vector.begin(), vector.end())), expected);
  EXPECT_EQ(pool.map(square, std::set<int>(vector.begin(), vector.end())), expected);
  EXPECT_EQ(pool.map(square, std::span(vector)), expected);
  EXPECT_EQ(pool.map(square, {0, 1, 2, 3}), squares(0, 4));
  EXPECT_EQ(pool.map(square, std::views::iota(0, 10)), expected);
  EXPECT_EQ(pool.map(square, std::views::iota(0) | std::views::take(10)), expected);
  EXPECT_EQ(
      pool.map(square, std::views::iota(0, 5) | std::views::transform([](int x) { return 2 * x; })),
      (std::vector<int>{0, 4, 16, 36, 64}));
  EXPECT_EQ(pool.map(square, vector | std::views::filter([](int x) { return x % 2 == 0; })),
            (std::vector<int>{0, 4, 16, 36, 64}));
  const int array[] = {1, 2, 3};
  EXPECT_EQ(pool.map(square, array), (std::vector<int>{1, 4, 9}));
}

TYPED_TEST(PoolMap, AVectorOfBoolIsOneOfBools) {
  TypeParam pool(2);
  std::vector<bool> flags{true, false, true};
  const auto number = [](bool flag) { return flag ? 2 : 3; };
  EXPECT_EQ(pool.map(number, flags), (std::vector<int>{2, 3, 2}));
  EXPECT_EQ(pool.map([](const bool& flag) { return !flag; }, std::as_const(flags)),
            (std::vector<bool>{false, true, false}));
  EXPECT_EQ(pool.imap(number, flags).next(), 2);
  EXPECT_EQ(pool.apply(number, flags[1]), 3);
}

TYPED_TEST(PoolMap, InputRanges) {
  TypeParam pool(2);
  std::istringstream numbers("1 2 3 4 5");
  EXPECT_EQ(pool.map(square, std::views::istream<int>(numbers)),
            (std::vector<int>{1, 4, 9, 16, 25}));
  std::istringstream words("one two three");
  EXPECT_EQ(pool.map([](const std::string& word) { return word.size(); },
                     std::views::istream<std::string>(words)),
            (std::vector<std::size_t>{3, 3, 5}));
}

TYPED_TEST(PoolMap, MoveOnlyElements) {
  TypeParam pool(2);
  std::vector<std::unique_ptr<int>> pointers;
  for (int i = 0; i < 5; ++i) {
    pointers.push_back(i == 3 ? nullptr : std::make_unique<int>(i));
  }
  const auto doubled = pool.map(
      [](const std::unique_ptr<int>& p) {
        return p ? std::make_unique<int>(2 * *p) : std::unique_ptr<int>();
      },
      pointers);
  ASSERT_EQ(doubled.size(), 5U);
  EXPECT_EQ(doubled[3], nullptr);
  EXPECT_EQ(*doubled[4], 8);
  EXPECT_EQ(*pointers[4], 4);  // the caller's are as before
}

TYPED_TEST(PoolMap, Nothing) {
  TypeParam pool(1);
  EXPECT_TRUE(pool.map(square, std::vector<int>{}).empty());
  const auto result = pool.map_async(square, std::vector<int>{});
  EXPECT_TRUE(result.ready());
  EXPECT_TRUE(result.successful());
  EXPECT_TRUE(result.get().empty());
  pool.map([](int) {}, std::vector<int>{});
}

TYPED_TEST(PoolMap, OneElement) {
  TypeParam pool(2);
  EXPECT_EQ(pool.map(square, {7}), std::vector<int>{49});
}

TYPED_TEST(PoolMap, EveryChunkSize) {
  TypeParam pool(2);
  std::vector<int> numbers(97);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto expected = squares(0, 97);
  for (const std::size_t chunk :
       {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{96}, std::size_t{97},
        std::size_t{98}, std::size_t{1'000'000'000}, std::numeric_limits<std::size_t>::max()}) {
    EXPECT_EQ(pool.map(square, numbers, {.chunksize = chunk}), expected) << chunk;
  }
}

TYPED_TEST(PoolMap, ResultsAreInOrderWhateverTheTimes) {
  TypeParam pool(3);
  std::mt19937 random(3);
  std::vector<std::pair<int, int>> tasks;
  for (int i = 0; i < 100; ++i) {
    tasks.emplace_back(i, random() % 3000);
  }
  for (const std::size_t chunk : {1U, 4U}) {
    const auto results = pool.map(
        [](const std::pair<int, int>& task) {
          std::this_thread::sleep_for(std::chrono::microseconds(task.second));
          return task.first;
        },
        tasks, {.chunksize = chunk});
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
    }
  }
}

TYPED_TEST(PoolMap, OfAFunctionThatReturnsNothing) {
  TypeParam pool(2);
  Tally tally(500);
  pool.map(procession::bind(count_one, tally.where()),
           std::views::iota(std::size_t{0}, std::size_t{500}));
  static_assert(std::is_void_v<decltype(pool.map(procession::bind(count_one, tally.where()),
                                                 std::vector<std::size_t>{}))>);
  EXPECT_EQ(tally.other_than(1), 0U);
  const AsyncResult<void> result =
      pool.map_async(procession::bind(count_one, tally.where()), std::vector<std::size_t>{1, 2, 3});
  result.get();
  EXPECT_EQ(tally.sum(), 503U);
}

TYPED_TEST(PoolMap, EachElementOnceInAnyChunks) {
  TypeParam pool(2);
  Tally tally(3000);
  for (const std::size_t chunk : {1U, 3U, 999U}) {
    pool.map(procession::bind(count_one, tally.where()),
             std::views::iota(std::size_t{0}, tally.size()), {.chunksize = chunk});
  }
  EXPECT_EQ(tally.other_than(3), 0U);
}

TYPED_TEST(PoolMap, TheFunctionMayKeepStateInAChunkOnly) {
  // As any function object does: each chunk begins with the state that was sent.
  TypeParam pool(1);
  const auto counting = [n = 0](int x) mutable { return x + n++; };
  EXPECT_EQ(pool.map(counting, {0, 0, 0, 0}, {.chunksize = 2}), (std::vector<int>{0, 1, 0, 1}));
  // Of so many short chunks a worker is handed several at a time.
  const auto many = pool.map(counting, std::vector<int>(30'000), {.chunksize = 3});
  for (std::size_t i = 0; i < many.size(); ++i) {
    ASSERT_EQ(many[i], static_cast<int>(i % 3)) << i;
  }
}

TYPED_TEST(PoolMap, ABoundFunctionLargerThanASlot) {
  TypeParam pool(2);
  const std::vector<int> table(10'000, 3);
  EXPECT_EQ(pool.map(procession::bind(
                         [](const std::vector<int>& t, std::size_t i) { return t.at(i); }, table),
                     std::vector<std::size_t>{0, 9'999, 5}, {.chunksize = 1}),
            (std::vector<int>{3, 3, 3}));
}

TYPED_TEST(PoolMap, TellsProgress) {
  TypeParam pool(2);
  std::vector<std::size_t> told;
  std::set<std::size_t> totals;
  pool.map(square, std::views::iota(0, 100),
           {.chunksize = 5, .progress = [&](std::size_t done, std::size_t total) {
              told.push_back(done);
              totals.insert(total);
            }});
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(totals, std::set<std::size_t>{100});
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(std::adjacent_find(told.begin(), told.end()), told.end());
  EXPECT_EQ(told.back(), 100U);
}

TYPED_TEST(PoolMap, AnElementThatCannotBeReadLeavesThePoolUsable) {
  TypeParam pool(2);
  const auto range = std::views::iota(0, 100) | std::views::transform([](int x) {
                       if (x == 50) {
                         throw std::runtime_error("cannot read 50");
                       }
                       return x;
                     });
  EXPECT_THROW(pool.map(square, range, {.chunksize = 10}), std::runtime_error);
  EXPECT_EQ(pool.map(square, {1, 2}), (std::vector<int>{1, 4}));
  pool.close();
  pool.join();
}

TYPED_TEST(PoolMap, SeveralAtATime) {
  TypeParam pool(2);
  std::vector<AsyncResult<std::vector<int>>> results;
  for (int i = 0; i < 20; ++i) {
    results.push_back(pool.map_async(square, std::views::iota(i, i + 50), {.chunksize = 3}));
  }
  for (int i = 19; i >= 0; --i) {
    EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), squares(i, i + 50));
  }
}

}  // namespace
}  // namespace procession::pooltest
