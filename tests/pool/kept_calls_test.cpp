// The functions of jobs: how often each is decoded, what tasks see of each other, and when it goes.

#include <atomic>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kinds.hpp"
#include "pool/job.hpp"
#include "procession/connection.hpp"
#include "procession/error.hpp"
#include "procession/executor.hpp"
#include "support.hpp"

namespace procession::pooltest {

/// Counts in a Tally how often one was decoded, [0], and how many of the decoded are there, [1].
class Counted {
 public:
  Counted() = default;
  Counted(Where where, int added) : where_(where), added_(added) {}
  Counted(const Counted& other) : where_(other.where_), added_(other.added_) { enter(other.live_); }
  Counted(Counted&& other) noexcept : where_(other.where_), added_(other.added_) {
    live_ = std::exchange(other.live_, false);
  }
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (live_) {
      --counter(where_, 1);
    }
  }
  int operator()(int x) const { return x + added_; }
  [[nodiscard]] int added() const { return added_; }

  friend void encode(Encoder& encoder, const Counted& counted) {
    procession::encode(encoder, counted.where_);
    procession::encode(encoder, counted.added_);
  }
  friend void decode(Decoder& decoder, Counted& counted) {
    procession::decode(decoder, counted.where_);
    procession::decode(decoder, counted.added_);
    ++counter(counted.where_);
    counted.enter(true);
    if (counted.added_ < 0) {
      throw std::domain_error("not to be read");
    }
  }

 private:
  void enter(bool live) {
    live_ = live;
    if (live_) {
      ++counter(where_, 1);
    }
  }

  Where where_ = 0;
  int added_ = 0;
  bool live_ = false;
};

namespace {

constexpr int kElements = 400;

int plus_added(const Counted& counted, int x) { return counted(x); }
int both_added(const Counted& counted, int x, int y) { return counted(x + y); }

auto elements(int count = kElements) { return std::views::iota(0, count); }

template <class Results>
void expect_added(Results&& results, int added) {
  int x = 0;
  for (const int result : results) {
    ASSERT_EQ(result, x++ + added);
  }
  EXPECT_EQ(x, kElements);
}

template <class Kind>
class PoolKeptCalls : public testing::Test {};
TYPED_TEST_SUITE(PoolKeptCalls, PoolKinds, PoolKindNames);

TYPED_TEST(PoolKeptCalls, AFunctionIsDecodedOnceForEachWorkerAndJob) {
  TypeParam pool(2);
  for (const std::size_t chunksize : {0, 1, 7}) {
    Tally tally(2);
    const auto call = procession::bind(plus_added, Counted(tally.where(), 5));
    expect_added(pool.map(call, elements(), {.chunksize = chunksize}), 5);
    EXPECT_LE(tally[0], 2U) << chunksize;
    EXPECT_GE(tally[0], 1U) << chunksize;
  }
}

TYPED_TEST(PoolKeptCalls, SoItIsByAllThatRunManyCalls) {
  TypeParam pool(2);
  Tally tally(2);
  const auto expect_few = [&] { EXPECT_LE(tally[0].exchange(0), 2U); };
  const auto call = procession::bind(plus_added, Counted(tally.where(), 5));
  expect_added(pool.imap(call, elements()), 5);
  expect_few();
  expect_added(pool.imap(call, elements(), {.chunksize = 3}), 5);
  expect_few();
  int sum = 0;
  for (const int result : pool.imap_unordered(call, elements())) {
    sum += result;
  }
  EXPECT_EQ(sum, kElements * (kElements - 1) / 2 + 5 * kElements);
  expect_few();
  const std::vector<std::pair<int, int>> pairs(kElements, {1, 2});
  EXPECT_EQ(pool.starmap(procession::bind(both_added, Counted(tally.where(), 5)), pairs,
                         {.chunksize = 1}),
            std::vector<int>(kElements, 8));
  expect_few();
  expect_added(pool.map(call, elements(), {.chunksize = 1, .timeout = 60s}), 5);
  expect_few();
}

TEST(PoolKeptCallsExecutor, MapDecodesItOnceForEachWorker) {
  ProcessPoolExecutor executor(2);
  Tally tally(2);
  expect_added(executor.map(procession::bind(plus_added, Counted(tally.where(), 5)), elements()),
               5);
  EXPECT_LE(tally[0], 2U);
}

TYPED_TEST(PoolKeptCalls, EachJobHasItsOwn) {
  TypeParam pool(2);
  // Their bytes come to lie where those of earlier ones were.
  for (int job = 0; job < 300; ++job) {
    Tally tally(2);
    const auto call = procession::bind(plus_added, Counted(tally.where(), job));
    const std::vector<int> results = pool.map(call, {1, 2, 3, 4, 5, 6}, {.chunksize = 1});
    ASSERT_EQ(results, (std::vector<int>{1 + job, 2 + job, 3 + job, 4 + job, 5 + job, 6 + job}));
    // A worker counts down in it.
    until([&] { return tally[1] == 0; });
  }
}

TYPED_TEST(PoolKeptCalls, TwoJobsTakeTurns) {
  TypeParam pool(1);
  Tally first(2);
  Tally second(2);
  {
    auto ones = pool.imap(procession::bind(plus_added, Counted(first.where(), 1)), elements());
    auto twos = pool.imap(procession::bind(plus_added, Counted(second.where(), 2)), elements());
    auto two = twos.begin();
    int x = 0;
    for (const int one : ones) {
      ASSERT_EQ(one, x + 1);
      ASSERT_EQ(*two, x + 2);
      ++x;
      ++two;
    }
  }
  EXPECT_EQ(first[0], 1U);
  EXPECT_EQ(second[0], 1U);
}

TYPED_TEST(PoolKeptCalls, ManyJobsAtOnceAreRightAllTheSame) {
  constexpr int kJobs = 100;  // more than workers know to be there
  TypeParam pool(2);
  std::vector<Tally> tallies;
  std::vector<AsyncResult<std::vector<int>>> results;
  for (int job = 0; job < kJobs; ++job) {
    tallies.emplace_back(2);
    results.push_back(
        pool.map_async(procession::bind(plus_added, Counted(tallies.back().where(), job)),
                       {1, 2, 3}, {.chunksize = 1}));
  }
  for (int job = 0; job < kJobs; ++job) {
    EXPECT_EQ(results[static_cast<std::size_t>(job)].get(),
              (std::vector<int>{1 + job, 2 + job, 3 + job}));
  }
  for (const Tally& tally : tallies) {
    until([&] { return tally[1] == 0; });
  }
}

/// Changes with each call.
struct Counter {
  int calls = 0;
  int operator()(int /*x*/) { return ++calls; }
};
/// Says by the same type whether it changes.
struct Either {
  int calls = 0;
  int operator()(int /*x*/) { return ++calls; }
  int operator()(int /*x*/) const { return -1; }
};
int count_in(std::vector<int>& counts, int /*x*/) { return ++counts.at(0); }
int call_it(const Function<int(int)>& function, int x) { return function(x); }

TYPED_TEST(PoolKeptCalls, WhatCallsChangeBeginsAnewWithEachChunk) {
  TypeParam pool(1);
  constexpr std::size_t kChunk = 4;
  const auto expect_anew = [&](const auto& call) {
    std::vector<int> expected;
    for (std::size_t i = 0; i < 5 * kChunk; ++i) {
      expected.push_back(static_cast<int>(i % kChunk) + 1);
    }
    const auto count = static_cast<int>(expected.size());
    EXPECT_EQ(pool.map(call, elements(count), {.chunksize = kChunk}), expected);
    std::vector<int> streamed;
    for (const int result : pool.imap(call, elements(count), {.chunksize = kChunk})) {
      streamed.push_back(result);
    }
    EXPECT_EQ(streamed, expected);
  };
  expect_anew(Counter{});
  expect_anew([calls = 0](int /*x*/) mutable { return ++calls; });
  expect_anew(Function<int(int)>(Counter{}));
  expect_anew(Function<int(int)>(Either{}));
  expect_anew(procession::bind(count_in, std::vector<int>{0}));
  expect_anew(procession::bind(Counter{}));
  expect_anew(procession::bind(call_it, Function<int(int)>(Counter{})));
  expect_anew(procession::bind(
      Function<int(int)>(procession::bind(call_it, Function<int(int)>(Counter{})))));
}

TYPED_TEST(PoolKeptCalls, AFunctionObjectIsKeptWhereNothingInItChanges) {
  TypeParam pool(1);
  Tally tally(2);
  const Function<int(int)> call = procession::bind(plus_added, Counted(tally.where(), 5));
  expect_added(pool.map(call, elements(), {.chunksize = 1}), 5);
  EXPECT_EQ(tally[0], 1U);
  expect_added(pool.map(Counted(tally.where(), 5), elements(), {.chunksize = 1}), 5);
  EXPECT_EQ(tally[0], 2U);
}

TYPED_TEST(PoolKeptCalls, WhatCannotBeDecodedFailsTheJobAlone) {
  TypeParam pool(1);
  Tally tally(2);
  const auto call = procession::bind(plus_added, Counted(tally.where(), -1));
  EXPECT_THROW(pool.map(call, elements(), {.chunksize = 10}), std::domain_error);
  EXPECT_GE(tally[0], 1U);
  auto results = pool.imap(call, elements(3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(results.next(), std::domain_error);
  }
  EXPECT_THROW(results.next(), StopIteration);
  tally[0] = 0;
  expect_added(pool.map(procession::bind(plus_added, Counted(tally.where(), 5)), elements(),
                        {.chunksize = 10}),
               5);
  EXPECT_EQ(tally[0], 1U);
}

TYPED_TEST(PoolKeptCalls, ItIsGivenBackWhenTheJobHasEnded) {
  TypeParam pool(2);
  Tally tally(2);
  const auto none_left = [&] { return tally[1] == 0; };
  const auto call = procession::bind(plus_added, Counted(tally.where(), 5));
  expect_added(pool.map(call, elements(), {.chunksize = 1}), 5);
  until(none_left);
  {
    auto results = pool.imap(call, elements());
    EXPECT_EQ(results.next(), 5);
    EXPECT_GE(tally[1], 1U);
  }  // nobody wants the rest
  until(none_left);
  EXPECT_THROW(pool.map(procession::bind([](const Counted& counted,
                                            int x) { return throws_at_three(counted(x)); },
                                         Counted(tally.where(), 1)),
                        elements()),
               std::out_of_range);
  until(none_left);
}

TYPED_TEST(PoolKeptCalls, AWorkerThatSleepsGivesItBackToo) {
  TypeParam pool(2);
  Tally tally(2);
  Tally gate;
  const auto result = pool.map_async(procession::bind(
                                         [](const Counted& counted, Where where, int x) {
                                           if (x == 0) {
                                             await(where);
                                           }
                                           return counted(x);
                                         },
                                         Counted(tally.where(), 5), gate.where()),
                                     elements(8), {.chunksize = 1});
  // One is at the first element, the other has run all others and has nothing to do.
  until([&] { return tally[1] == 2; });
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(tally[1], 2U);
  counter(gate.where()) = 1;
  EXPECT_EQ(result.get().at(7), 12);
  until([&] { return tally[1] == 0; });
}

TEST(PoolKeptCallsHandles, ThePipesEndIsClosedWithTheJob) {
  Pool pool(2);
  auto [reader, writer] = Pipe();
  pool.map(procession::bind([](const Connection& to, int x) { to.send(x); }, writer), elements(20),
           {.chunksize = 1});
  writer.close();
  int sum = 0;
  try {
    for (;;) {
      sum += reader.recv<int>();
    }
  } catch (const EndOfFile&) {
  }
  EXPECT_EQ(sum, 190);
}

TEST(PoolKeptCallsHandles, EvenByAWorkerThatTurnedToSomethingLong) {
  Pool pool(2);
  Tally gate(3);
  auto [reader, writer] = Pipe();
  // Both workers are at the map at the same time; then one at a call that does not end.
  const auto result = pool.map_async(procession::bind(
                                         [](const Connection& /*to*/, Where where, int x) {
                                           ++counter(where, 1);
                                           until([&] { return counter(where, 1) >= 2; });
                                           if (x == 0) {
                                             await(where);
                                           }
                                         },
                                         writer, gate.where()),
                                     elements(2), {.chunksize = 1});
  const auto longer = pool.apply_async(
      [](Where where) {
        counter(where, 2) = 1;
        for (;;) {
          std::this_thread::sleep_for(1s);
        }
      },
      gate.where());
  until([&] { return gate[2] == 1; });
  gate[0] = 1;
  result.get();
  writer.close();
  EXPECT_THROW(reader.recv<int>(), EndOfFile);
  EXPECT_FALSE(longer.ready());
}

TEST(PoolKeptCallsDeath, ANewWorkerDecodesItForItself) {
  constexpr unsigned kDeaths = 6;
  Pool pool(2);
  Tally tally(3);
  const auto run = [](const Counted& counted, Where where, int x) {
    if (x % 50 == 17 && counter(where, 2).fetch_add(1) < kDeaths) {
      ::_exit(3);
    }
    return counted(x);
  };
  const auto call = procession::bind(run, Counted(tally.where(), 5), tally.where());
  expect_added(pool.map(call, elements(), {.chunksize = 1, .retries = kDeaths}), 5);
  EXPECT_GE(tally[2], kDeaths);
  EXPECT_LE(tally[0], 2 + kDeaths);
  tally[2] = 0;
  tally[0] = 0;
  expect_added(pool.imap(call, elements(), {.retries = kDeaths}), 5);
  EXPECT_LE(tally[0], 2 + kDeaths);
}

TEST(PoolKeptCallsDeath, AWorkerThatRetiresDecodesItOnce) {
  Pool pool({.processes = 1, .max_tasks_per_child = 10});
  Tally tally(2);
  expect_added(pool.map(procession::bind(plus_added, Counted(tally.where(), 5)), elements(),
                        {.chunksize = 4}),
               5);
  EXPECT_EQ(tally[0], kElements / 4 / 10U);
}

TEST(PoolKeptCallsMemory, WhereItIsLimitedOnlyThatOfThePresentJobIsKept) {
  constexpr std::size_t kMebi = 1U << 20U;
  constexpr std::size_t kLimit = (kSanitized ? 600 : 100) * kMebi;
  Pool pool({.processes = 1, .max_memory_per_child = kLimit});
  const std::vector<int> before = pool.pids();
  const auto size = [](const std::string& bytes, int x) { return bytes.size() + x; };
  auto ones = pool.imap(procession::bind(size, std::string(kLimit * 6 / 10, '1')), elements(6),
                        {.buffersize = 1});
  auto twos = pool.imap(procession::bind(size, std::string(kLimit * 6 / 10, '2')), elements(6),
                        {.buffersize = 1});
  for (std::size_t x = 0; x < 6; ++x) {
    ASSERT_EQ(ones.next(), kLimit * 6 / 10 + x);
    ASSERT_EQ(twos.next(), kLimit * 6 / 10 + x);
  }
  EXPECT_EQ(pool.pids(), before);
}

/// Takes long to decode, and changes with each call, so that it is decoded for each task.
struct Slow {
  Where where = 0;
  int operator()(int x) {
    where |= 0;
    return x;
  }
};
void encode(Encoder& encoder, const Slow& slow) { procession::encode(encoder, slow.where); }
void decode(Decoder& decoder, Slow& slow) {
  procession::decode(decoder, slow.where);
  ++counter(slow.where);
  std::this_thread::sleep_for(5ms);
}

TYPED_TEST(PoolKeptCalls, TheTimeToDecodeItIsNotTakenForTheElements) {
  TypeParam pool(2);
  Tally tally;
  EXPECT_EQ(pool.map(Slow{tally.where()}, elements()).back(), kElements - 1);
  EXPECT_LT(tally[0], 60U);
}

TEST(PoolPaceOfDecoding, TasksAreLongBesideIt) {
  constexpr std::size_t kTotal = 1'000'000;
  detail::Pace pace;
  pace.tasks = 1;
  pace.measure(100, {.elements = 100 * 1'000, .decoding = 0});
  const std::size_t alone = pace.next(kTotal, 2, 1);
  pace.measure(100, {.elements = 100 * 1'000, .decoding = 50'000'000});
  const std::size_t beside = pace.next(kTotal, 2, 1);
  EXPECT_EQ(alone, 2'000U);     // 2 ms of them
  EXPECT_EQ(beside, 250'000U);  // a fourth of all: more would take eight times 50 ms
  pace.begun = kTotal - 1'000;
  EXPECT_EQ(pace.next(kTotal, 2, 1), 50'000U);  // no task that takes longer to decode than to run
}

TEST(PoolTaskTime, IsOneWord) {
  for (const pool::TaskTime time : {pool::TaskTime{0, 0}, pool::TaskTime{1, 5'000},
                                    pool::TaskTime{123'456'789, 8'000'000'000}}) {
    EXPECT_EQ(pool::TaskTime::of(time.word()).elements, time.elements);
    EXPECT_EQ(pool::TaskTime::of(time.word()).decoding, time.decoding);
  }
  const pool::TaskTime most = pool::TaskTime::of(pool::TaskTime{~0ULL, ~0ULL}.word());
  EXPECT_EQ(most.elements, pool::TaskTime::kMostElements);
  EXPECT_EQ(most.decoding, pool::TaskTime::kMostDecoding * 1000);
  EXPECT_EQ(pool::TaskTime({~0ULL, ~0ULL}).word() & pool::kExpired, 0U);
}

}  // namespace
}  // namespace procession::pooltest
