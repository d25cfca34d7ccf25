// How a range is divided among workers where the caller leaves that to the pool.

#include <ranges>
#include <set>

#include "pool/job.hpp"
#include "procession/error.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

int process_of(int x) {
  static_cast<void>(x);
  return static_cast<int>(::getpid());
}

TEST(PoolChunkSizer, LongElementsAreHandedOverOneByOne) {
  // Each task has a worker of its own, so that its elements can be told.
  Pool pool({.processes = 2, .max_tasks_per_child = 1});
  std::map<int, int> counts;
  const auto run = [](int x) {
    std::this_thread::sleep_for(10ms);
    return process_of(x);
  };
  for (const int pid : pool.map(run, std::views::iota(0, 60))) {
    ++counts[pid];
  }
  for (const auto& [pid, count] : counts) {
    EXPECT_LE(count, 2) << pid;  // two before it is known how long they take
  }
}

TEST(PoolChunkSizer, ShortElementsAreHandedOverTogether) {
  Pool pool({.processes = 2, .max_tasks_per_child = 1});
  const auto run = [](int x) { return process_of(x); };
  std::set<int> pids;
  for (const int pid : pool.map(run, std::views::iota(0, 100'000))) {
    pids.insert(pid);
  }
  EXPECT_LT(pids.size(), 1000U);
}

TEST(PoolChunkSizer, ChunksBehindALongOneAreTakenBack) {
  // Short chunks are handed over several at a time. One among them that waits for all others, once
  // its worker is known to be at it, must not keep those that were handed over with it.
  constexpr int kElements = 20'000;
  Pool pool(2);
  Tally done;
  const auto run = bind(
      [](Where where, int x) {
        if (x == kElements / 2) {
          until([&] { return counter(where) == kElements - 1; });
        } else {
          ++counter(where);
        }
        return x;
      },
      done.where());
  const auto results = pool.map(run, std::views::iota(0, kElements), {.chunksize = 1});
  for (int i = 0; i < kElements; ++i) {
    ASSERT_EQ(results[static_cast<std::size_t>(i)], i);
  }
  EXPECT_EQ(done[0], kElements - 1U);
}

TEST(PoolChunkSizer, OfSeveralChunksAWorkerThatDiesLosesOneElement) {
  constexpr std::size_t kElements = 20'000;
  Pool pool(2);
  Tally tally(kElements);
  const auto run = bind(
      [](Where where, std::size_t x) {
        ++counter(where, x);
        if (x % 7000 == 6999) {
          ::_exit(3);
        }
      },
      tally.where());
  EXPECT_THROW(pool.map(run, std::views::iota(std::size_t{0}, kElements), {.chunksize = 2}),
               WorkerLost);
  EXPECT_EQ(tally.other_than(1), 0U);  // each ran, and ran once
}

TEST(PoolChunkSizer, OfSeveralChunksEachElementHasItsRetries) {
  constexpr std::size_t kElements = 20'000;
  Pool pool(2);
  Tally tally(kElements);
  const auto run = bind(
      [](Where where, std::size_t x) {
        // Two neighbours each lose their worker once.
        if (counter(where, x)++ == 0 && x % 7000 >= 6998) {
          ::_exit(3);
        }
      },
      tally.where());
  pool.map(run, std::views::iota(std::size_t{0}, kElements), {.chunksize = 1, .retries = 1});
  EXPECT_EQ(tally.sum(), kElements + 4);
}

TEST(PoolChunkSizer, ShortElementsStayInOrder) {
  Pool pool(2);
  const auto results = pool.map([](int x) { return 3 * x; }, std::views::iota(0, 200'000));
  ASSERT_EQ(results.size(), 200'000U);
  for (int i = 0; i < 200'000; ++i) {
    ASSERT_EQ(results[static_cast<std::size_t>(i)], 3 * i);
  }
}

TEST(PoolChunkSizer, ElementsOfDifferentSizesStayInOrder) {
  Pool pool(2);
  std::vector<std::string> words;
  for (std::size_t i = 0; i < 30'000; ++i) {
    words.push_back(std::string(i % 50, static_cast<char>('a' + i % 26)));
  }
  const auto same = [](const std::string& word) { return word + "."; };
  for (int round = 0; round < 2; ++round) {  // the second time its size of chunks is known
    const auto results = pool.map(same, words);
    ASSERT_EQ(results.size(), words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      ASSERT_EQ(results[i], words[i] + ".");
    }
  }
}

TEST(PoolChunkSizer, ADeadWorkerFailsOneElementAndTheOthersRunOnce) {
  constexpr int kElements = 5000;
  Tally tally(kElements);
  Pool pool(2);
  const auto run = [](Where where, const std::string& word) {
    const auto number = static_cast<std::size_t>(std::stoi(word));
    ++counter(where, number);
    if (number % 1000 == 777) {
      ::_exit(3);
    }
    return number;
  };
  std::vector<std::string> words;
  for (int i = 0; i < kElements; ++i) {
    words.push_back(std::to_string(i));
  }
  try {
    pool.map(procession::bind(run, tally.where()), words);
    FAIL();
  } catch (const WorkerLost& lost) {
    EXPECT_EQ(lost.task_index(), 777U);
  }
  EXPECT_EQ(tally.other_than(1), 0U);
}

TEST(PoolChunkSizer, TheMapGoesOnThoughNobodyWaits) {
  // Far more than workers are given at a time.
  constexpr int kElements = 400;
  Tally tally(kElements);
  Pool pool(2);
  const auto run = [](Where where, int x) {
    std::this_thread::sleep_for(1ms);
    ++counter(where, static_cast<std::size_t>(x));
  };
  const auto result =
      pool.map_async(procession::bind(run, tally.where()), std::views::iota(0, kElements));
  until([&] { return tally.sum() == kElements; });
  result.get();
  EXPECT_EQ(tally.other_than(1), 0U);
}

TEST(PoolChunkSizer, OthersAreServedWhileALongMapIsUnderWay) {
  Pool pool(2);
  const auto slow = pool.map_async(
      [](int x) {
        std::this_thread::sleep_for(2ms);
        return x;
      },
      std::views::iota(0, 300));
  EXPECT_EQ(pool.apply(process_of, 1) != 0, true);
  EXPECT_EQ(slow.get().size(), 300U);
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

TEST(PoolChunkSizer, TheTimeToDecodeAFunctionIsNotTakenForTheElements) {
  constexpr int kElements = 400;
  Pool pool(2);
  Tally tally;
  EXPECT_EQ(pool.map(Slow{tally.where()}, std::views::iota(0, kElements)).back(), kElements - 1);
  EXPECT_LT(tally[0], 60U);
}

TEST(PoolChunkSizer, TasksAreLongBesideWhatIsDecodedForEach) {
  constexpr std::size_t kTotal = 1'000'000;
  detail::ChunkSizer sizer;
  sizer.tasks = 1;
  sizer.measure(100, {.elements = 100 * 1'000, .decoding = 0});
  const std::size_t alone = sizer.next(kTotal, 2, 1);
  sizer.measure(100, {.elements = 100 * 1'000, .decoding = 50'000'000});
  const std::size_t beside = sizer.next(kTotal, 2, 1);
  EXPECT_EQ(alone, 2'000U);     // 2 ms of them
  EXPECT_EQ(beside, 250'000U);  // a fourth of all: more would take eight times 50 ms
  sizer.begun = kTotal - 1'000;
  EXPECT_EQ(sizer.next(kTotal, 2, 1), 50'000U);  // no task that takes longer to decode than to run
}

TEST(PoolChunkSizer, TheTimeOfATaskIsOneWord) {
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
