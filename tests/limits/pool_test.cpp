// Numbers at their limits in the options and calls of pools and executors.

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <ranges>
#include <thread>

#include "support.hpp"

namespace limits_test {
namespace {

int twice(int x) { return 2 * x; }
int sum(int x, int y) { return x + y; }
std::uint64_t same_number(std::uint64_t x) { return x; }
void ignore_number(std::uint64_t /*x*/) {}

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}
std::vector<int> doubled(int count) {
  std::vector<int> all = numbers(count);
  for (int& x : all)
    x *= 2;
  return all;
}

template <class Range>
std::vector<int> read(Range&& range) {
  std::vector<int> all;
  for (const int x : range)
    all.push_back(x);
  return all;
}

constexpr std::size_t kSizes[] = {0,
                                  1,
                                  2,
                                  3,
                                  7,
                                  1023,
                                  1024,
                                  1025,
                                  (1U << 24) - 1,
                                  1U << 24,
                                  (1U << 24) + 1,
                                  std::size_t{1} << 32,
                                  std::size_t{1} << 63,
                                  kMost - 1,
                                  kMost};

template <class Kind>
class PoolLimits : public testing::Test {
 protected:
  Kind pool{2};
};
using Kinds = testing::Types<mp::Pool, mp::ThreadPool>;
struct KindNames {
  template <class Kind>
  static std::string GetName(int /*index*/) {
    return std::is_same_v<Kind, mp::Pool> ? "Processes" : "Threads";
  }
};
TYPED_TEST_SUITE(PoolLimits, Kinds, KindNames);

// Elements that are copied as they lie in memory, and others, are divided in different ways.
TYPED_TEST(PoolLimits, ChunksizeOfMap) {
  for (const std::size_t size : kSizes) {
    SCOPED_TRACE(size);
    EXPECT_EQ(this->pool.map(twice, numbers(50), {.chunksize = size}), doubled(50));
    std::vector<std::string> words(50, "ab");
    const auto length = [](const std::string& word) { return static_cast<int>(word.size()); };
    EXPECT_EQ(this->pool.map(length, words, {.chunksize = size}), std::vector<int>(50, 2));
    std::vector<std::pair<int, int>> pairs(50, {1, 2});
    EXPECT_EQ(this->pool.starmap(sum, pairs, {.chunksize = size}), std::vector<int>(50, 3));
    const auto timed =
        this->pool.map(length, words, {.chunksize = size, .timeout = std::chrono::hours(1)});
    EXPECT_EQ(timed, std::vector<int>(50, 2));
  }
}

/// How many calls run at a time, and how many did at most.
struct AtATime {
  mp::Value<int> now{0};
  mp::Value<int> most{0};
};

int run_beside(const AtATime& calls, int x) {
  const int now = ++calls.now;
  calls.most.update([now](int most) { return std::max(most, now); });
  std::this_thread::sleep_for(std::chrono::microseconds(100));
  --calls.now;
  return 2 * x;
}

// Whatever the number is kept in.
TYPED_TEST(PoolLimits, AChunkThatHasRoomForAllIsRunByOneWorker) {
  for (const std::size_t size : kSizes) {
    if (size < 50) continue;
    SCOPED_TRACE(size);
    const AtATime calls;
    EXPECT_EQ(this->pool.map(mp::bind(run_beside, calls), numbers(50), {.chunksize = size}),
              doubled(50));
    EXPECT_EQ(calls.most.value(), 1);
    EXPECT_EQ(read(this->pool.imap(mp::bind(run_beside, calls), numbers(50), {.chunksize = size})),
              doubled(50));
    EXPECT_EQ(calls.most.value(), 1);
  }
}

TYPED_TEST(PoolLimits, ChunksizeAndBuffersizeOfImap) {
  for (const std::size_t size : kSizes) {
    for (const std::size_t buffer : kSizes) {
      SCOPED_TRACE(std::to_string(size) + " " + std::to_string(buffer));
      EXPECT_EQ(
          read(this->pool.imap(twice, numbers(10), {.chunksize = size, .buffersize = buffer})),
          doubled(10));
    }
    auto any = read(
        this->pool.imap_unordered(twice, numbers(10), {.chunksize = size, .buffersize = kMost}));
    std::sort(any.begin(), any.end());
    EXPECT_EQ(any, doubled(10));
  }
}

TYPED_TEST(PoolLimits, Retries) {
  for (const unsigned retries : {0U, 1U, std::numeric_limits<unsigned>::max()}) {
    EXPECT_EQ(this->pool.map(twice, numbers(5), {.retries = retries}), doubled(5));
    EXPECT_EQ(read(this->pool.imap(twice, numbers(5), {.retries = retries})), doubled(5));
  }
}

TYPED_TEST(PoolLimits, RangesOfNoneAndOne) {
  for (const std::size_t size : kSizes) {
    const mp::MapOptions options{.chunksize = size};
    EXPECT_TRUE(this->pool.map(twice, numbers(0), options).empty());
    EXPECT_TRUE(read(this->pool.imap(twice, numbers(0), options)).empty());
    EXPECT_TRUE(this->pool.starmap(sum, std::vector<std::pair<int, int>>(), options).empty());
    EXPECT_EQ(this->pool.map(twice, numbers(1), options), doubled(1));
    EXPECT_EQ(read(this->pool.imap(twice, numbers(1), options)), doubled(1));
  }
}

TYPED_TEST(PoolLimits, HugeRanges) {
  auto& workers = this->pool;
  const std::uint64_t most = ~std::uint64_t{0};
  const auto all = std::views::iota(std::uint64_t{0}, most);
  const auto half = std::views::iota(std::uint64_t{0}, std::uint64_t{1} << 63);
  const auto signed_all = std::views::iota(std::numeric_limits<std::int64_t>::min(),
                                           std::numeric_limits<std::int64_t>::max());
  const auto first_over = std::views::iota(std::uint64_t{0}, (std::uint64_t{1} << 40) + 1);
  run({
      {"map of 2^64-1",
       Comes::invalid,
       {"18446744073709551615 elements", "1099511627776", "imap"},
       [&] { return workers.map(same_number, all).empty(); }},
      {"map of 2^63",
       Comes::invalid,
       {"9223372036854775808 elements", "1099511627776"},
       [&] { return workers.map(same_number, half).empty(); }},
      {"map of 2^63, no results",
       Comes::invalid,
       {"9223372036854775808 elements", "1099511627776"},
       [&] {
         workers.map(ignore_number, half, {.chunksize = kMost});
         return false;
       }},
      {"map of all int64",
       Comes::invalid,
       {"18446744073709551615 elements", "1099511627776"},
       [&] { return workers.map([](std::int64_t x) { return x; }, signed_all).empty(); }},
      {"map of 2^40+1",
       Comes::invalid,
       {"1099511627777 elements", "1099511627776"},
       [&] { return workers.map_async(same_number, first_over).get().empty(); }},
      {"imap of 2^64-1",
       Comes::works,
       {},
       [&] {
         auto results = workers.imap(same_number, all);
         return results.next() == 0 && results.next() == 1;
       }},
      {"imap of 2^63 with its progress",
       Comes::works,
       {},
       [&] {
         std::size_t total = 0;
         auto results = workers.imap(
             same_number, half, {.progress = [&](std::size_t, std::size_t of) { total = of; }});
         return results.next() == 0 && total == std::size_t{1} << 63;
       }},
      {"imap without an end",
       Comes::works,
       {},
       [&] {
         auto results =
             workers.imap(same_number, std::views::iota(std::uint64_t{5}), {.buffersize = 3});
         return results.next() == 5 && results.next() == 6;
       }},
      {"imap without an end, buffersize 2^64-1",
       Comes::works,
       {},
       [&] {
         auto results =
             workers.imap(same_number, std::views::iota(std::uint64_t{5}), {.buffersize = kMost});
         return results.next() == 5 && results.next() == 6;
       }},
  });
}

template <class Kind>
std::vector<Row> workers_rows(const char* what) {
  const auto make = [](std::size_t workers) {
    return [workers] { return Kind(workers).size() == workers; };
  };
  const auto limit = [](std::optional<std::size_t> tasks, std::optional<std::size_t> memory) {
    return [=] {
      mp::PoolOptions options{.processes = 1, .max_tasks_per_child = tasks};
      options.max_memory_per_child = memory;
      Kind made(options);
      if constexpr (requires { made.apply(twice, 4); }) {
        return made.apply(twice, 4) == 8;
      } else {
        return made.submit(twice, 4).result() == 8;
      }
    };
  };
  const bool threads =
      std::is_same_v<Kind, mp::ThreadPool> || std::is_same_v<Kind, mp::ThreadPoolExecutor>;
  const Comes memory = threads ? Comes::invalid : Comes::works;
  return {
      {what, Comes::invalid, {"1025", "1024"}, make(1025)},
      {what, Comes::invalid, {"18446744073709551615", "1024"}, make(kMost)},
      {what, Comes::invalid, {"4294967297", "1024"}, make((std::size_t{1} << 32) + 1)},
      {"max_tasks_per_child 0",
       Comes::invalid,
       {"max_tasks_per_child = 0", "at least 1"},
       limit(0, {})},
      {"max_tasks_per_child 1", Comes::works, {}, limit(1, {})},
      {"max_tasks_per_child 2^32", Comes::works, {}, limit(std::size_t{1} << 32, {})},
      {"max_tasks_per_child 2^64-1", Comes::works, {}, limit(kMost, {})},
      {"max_memory_per_child 0", Comes::invalid, {"max_memory_per_child = 0"}, limit({}, 0)},
      {"max_memory_per_child 2^64-1", memory, {}, limit({}, kMost)},
      {"max_memory_per_child 2^63", memory, {}, limit({}, std::size_t{1} << 63)},
  };
}

template <class Kind>
bool start_by(int method) {
  mp::PoolOptions options{.processes = 1};
  options.start_method = static_cast<mp::StartMethod>(method);
  return Kind(options).size() == 1;
}

TEST(PoolOptionLimits, Workers) {
  run(workers_rows<mp::Pool>("Pool(processes)"));
  run(workers_rows<mp::ThreadPool>("ThreadPool(processes)"));
  run({
      {"Pool of a start method 99",
       Comes::invalid,
       {"99", "forkserver"},
       [] { return start_by<mp::Pool>(99); }},
      {"Pool of a start method -1",
       Comes::invalid,
       {"-1", "forkserver"},
       [] { return start_by<mp::Pool>(-1); }},
      {"ThreadPool of a start method 99",
       Comes::invalid,
       {"unknown"},
       [] { return start_by<mp::ThreadPool>(99); }},
      {"ProcessPoolExecutor of 1025",
       Comes::invalid,
       {"1025", "1024"},
       [] {
         mp::ProcessPoolExecutor made(1025);
         return false;
       }},
      {"ThreadPoolExecutor of 2^64-1",
       Comes::invalid,
       {"18446744073709551615", "1024"},
       [] {
         mp::ThreadPoolExecutor made(kMost);
         return false;
       }},
      {"wait(futures) of ReturnWhen 99",
       Comes::invalid,
       {"99", "all_completed"},
       [] {
         mp::ThreadPoolExecutor executor(1);
         return mp::wait(std::vector{executor.submit(twice, 1)}, static_cast<mp::ReturnWhen>(99))
             .done.empty();
       }},
      {"wait of no futures",
       Comes::works,
       {},
       [] { return mp::wait(std::vector<mp::Future<int>>()).done.empty(); }},
  });
}

TEST(PoolOptionLimits, ExecutorsMap) {
  mp::ProcessPoolExecutor executor(1);
  for (const std::size_t size : kSizes)
    EXPECT_EQ(read(executor.map(twice, numbers(5), {.chunksize = size, .buffersize = size})),
              doubled(5));
}

}  // namespace
}  // namespace limits_test
