// The functions of jobs: how often each is decoded, and what tasks see of each other.

#include <stdexcept>
#include <utility>
#include <vector>

#include "kept_support.hpp"
#include "kinds.hpp"
#include "procession/error.hpp"
#include "procession/executor.hpp"
#include "support.hpp"

namespace procession::pooltest {

namespace {

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
  // Their bytes come to lie where those of earlier ones were, and a worker goes on from one to the
  // next.
  for (int round = 0; round < 50; ++round) {
    std::vector<Tally> tallies;
    std::vector<AsyncResult<std::vector<int>>> results;
    for (int job = 0; job < 6; ++job) {
      tallies.emplace_back(2);
      const auto call = procession::bind(plus_added, Counted(tallies.back().where(), job));
      results.push_back(pool.map_async(call, {1, 2, 3, 4, 5, 6}, {.chunksize = 1}));
    }
    for (int job = 0; job < 6; ++job) {
      ASSERT_EQ(results[static_cast<std::size_t>(job)].get(),
                (std::vector<int>{1 + job, 2 + job, 3 + job, 4 + job, 5 + job, 6 + job}));
    }
    for (const Tally& tally : tallies) {
      until([&] { return tally[1] == 0; });  // a worker counts down in it
    }
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

}  // namespace
}  // namespace procession::pooltest
