// More of everything than there is room for at a time.

#include <atomic>
#include <chrono>
#include <numeric>
#include <ranges>
#include <thread>
#include <vector>

#include "pool/layout.hpp"
#include "procession/error.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

constexpr int kLess = kSanitized ? 5 : 1;

TEST(PoolMany, AMillionInts) {
  Pool pool(2);
  std::vector<int> numbers(1'000'000 / kLess);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto results = pool.map([](int x) { return x ^ 0x55; }, numbers);
  ASSERT_EQ(results.size(), numbers.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    ASSERT_EQ(results[i], numbers[i] ^ 0x55);
  }
}

TEST(PoolMany, AMillionStrings) {
  Pool pool(2);
  const auto results =
      pool.map([](int x) { return std::to_string(x); }, std::views::iota(0, 1'000'000 / kLess));
  ASSERT_EQ(results.size(), 1'000'000U / kLess);
  EXPECT_EQ(results.back(), std::to_string(1'000'000 / kLess - 1));
}

// More than a slot can count.
TEST(PoolMany, AChunkOfMoreElementsThanASlotCounts) {
  Pool pool(1);
  const std::size_t most = pool::kMostInChunk;
  std::vector<char> letters(most + 1000, 'a');
  letters.back() = 'z';
  const auto results = pool.map([](char c) { return static_cast<char>(c + 1); }, letters,
                                {.chunksize = letters.size()});
  ASSERT_EQ(results.size(), letters.size());
  EXPECT_EQ(results.front(), 'b');
  EXPECT_EQ(results[most], 'b');
  EXPECT_EQ(results.back(), 'z' + 1);
}

// Nobody waits for the results for a while, so nobody but the supervisor feeds the workers.
TEST(PoolMany, MoreChunksThanSlotsFeedThemselves) {
  constexpr std::size_t kChunks = 20'000 / kLess;
  Pool pool(2);
  Tally tally(kChunks);
  const auto result = pool.map_async(procession::bind(count_one, tally.where()),
                                     std::views::iota(std::size_t{0}, kChunks), {.chunksize = 1});
  until([&] { return tally.sum() == kChunks; });
  EXPECT_EQ(tally.other_than(1), 0U);
  result.get();
}

TEST(PoolMany, MoreTasksThanSlotsBehindOneThatWaits) {
  constexpr std::size_t kTasks = 3 * pool::kSlots;
  Pool pool(2);
  Tally gate;
  Tally tally(kTasks);
  const auto first = pool.apply_async([](Where where) { await(where); }, gate.where());
  const auto result = pool.map_async(procession::bind(count_one, tally.where()),
                                     std::views::iota(std::size_t{0}, kTasks), {.chunksize = 1});
  result.get();  // by the other worker
  EXPECT_EQ(tally.other_than(1), 0U);
  EXPECT_FALSE(first.ready());
  gate[0] = 1;
  first.get();
}

TEST(PoolMany, TenThousandCallsThenTheirResults) {
  constexpr int kTasks = 10'000 / kLess;
  Pool pool(2);
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < kTasks; ++i) {
    results.push_back(pool.apply_async(square, i % 1000));
  }
  for (int i = kTasks - 1; i >= 0; --i) {
    ASSERT_EQ(results[static_cast<std::size_t>(i)].get(), (i % 1000) * (i % 1000));
  }
}

TEST(PoolMany, ClosedWithABacklogItIsAllDone) {
  constexpr std::size_t kTasks = 5'000;
  Tally tally(kTasks);
  {
    Pool pool(2);
    pool.map_async(procession::bind(count_one, tally.where()),
                   std::views::iota(std::size_t{0}, kTasks), {.chunksize = 1});
    pool.close();
  }
  EXPECT_EQ(tally.other_than(1), 0U);
}

// Also the callback and the one who waits do.
TEST(PoolMany, SeveralThreadsGetTheSameResultsAtATime) {
  constexpr int kElements = 2'000;
  Pool pool(2);
  for (int round = 0; round < 30; ++round) {
    // Such that some end before others that come first.
    const auto result = pool.map_async(
        [](int x) {
          if (x % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
          return x + 1;
        },
        std::views::iota(0, kElements), {.chunksize = 1});
    std::atomic<int> wrong = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i) {
      readers.emplace_back([&] {
        const std::vector<int> got = result.get();
        for (int x = 0; x < kElements; ++x)
          wrong += got[static_cast<std::size_t>(x)] != x + 1 ? 1 : 0;
      });
    }
    for (std::thread& reader : readers)
      reader.join();
    ASSERT_EQ(wrong, 0) << "in round " << round;
  }
}

TEST(PoolMany, LargeResultsOfManyTasks) {
  Pool pool(2);
  std::vector<AsyncResult<std::vector<char>>> results;
  for (int i = 0; i < 40; ++i) {
    results.push_back(pool.apply_async([](char c) { return std::vector<char>(2U << 20U, c); },
                                       static_cast<char>(i)));
  }
  for (int i = 0; i < 40; ++i) {
    const auto bytes = results[static_cast<std::size_t>(i)].get();
    ASSERT_EQ(bytes.size(), 2U << 20U);
    ASSERT_EQ(bytes.front(), static_cast<char>(i));
    ASSERT_EQ(bytes.back(), static_cast<char>(i));
  }
}

TEST(Pains, Pain24_MoreWorkersThanAWaitElsewhereTakes) {
  Pool pool(40);
  EXPECT_EQ(pool.size(), 40U);
  EXPECT_EQ(pool.pids().size(), 40U);
  const auto results = pool.map(square, std::views::iota(0, 1000), {.chunksize = 1});
  EXPECT_EQ(results.back(), 999 * 999);
}

TEST(PoolMany, MorePoolsThanOne) {
  std::vector<Pool> pools;
  for (int i = 0; i < 6; ++i) {
    pools.emplace_back(std::size_t{1});
  }
  for (int round = 0; round < 5; ++round) {
    for (auto& pool : pools) {
      EXPECT_EQ(pool.apply(square, round), round * round);
    }
  }
}

}  // namespace
}  // namespace procession::pooltest
