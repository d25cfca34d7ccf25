// Workers that die: only the element that they were running fails.

#include <csignal>
#include <random>
#include <ranges>
#include <set>

#include "procession/error.hpp"
#include "procession/exception.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

enum class End { abort, segfault, exit, immediate_exit, kill, terminate };

void end_here(End how) {
  // As without a sanitizer's or a test framework's handlers.
  std::signal(SIGABRT, SIG_DFL);
  std::signal(SIGSEGV, SIG_DFL);
  switch (how) {
    case End::abort:
      std::abort();
    case End::segfault:
      ::raise(SIGSEGV);
      break;
    case End::exit:
      std::exit(3);
    case End::immediate_exit:
      ::_exit(4);
    case End::kill:
      ::raise(SIGKILL);
      break;
    case End::terminate:
      ::raise(SIGTERM);
  }
}

int exitcode_of(End how) {
  switch (how) {
    case End::abort:
      return -SIGABRT;
    case End::segfault:
      return -SIGSEGV;
    case End::exit:
      return 3;
    case End::immediate_exit:
      return 4;
    case End::kill:
      return -SIGKILL;
    default:
      return -SIGTERM;
  }
}

std::string name_of(End how) {
  constexpr const char* kNames[] = {"Abort",         "Segfault", "Exit",
                                    "ImmediateExit", "Kill",     "Terminate"};
  return kNames[static_cast<int>(how)];
}

int count_and_end(Where tally, End how, int bad, int x) {
  ++counter(tally, static_cast<std::size_t>(x));
  if (x == bad) {
    end_here(how);
  }
  return square(x);
}

class PoolLost : public testing::TestWithParam<End> {};

TEST_P(PoolLost, FailsItsCallAlone) {
  Pool pool(1);
  const int pid = pool.pids().at(0);
  try {
    pool.apply(end_here, GetParam());
    FAIL();
  } catch (const WorkerLost& lost) {
    EXPECT_EQ(lost.pid(), pid);
    EXPECT_EQ(lost.exitcode(), exitcode_of(GetParam()));
    EXPECT_EQ(lost.task_index(), 0U);
    EXPECT_NE(std::string(lost.what()).find(std::to_string(pid)), std::string::npos);
  }
  EXPECT_EQ(pool.apply(square, 6), 36);
  EXPECT_EQ(pool.pids().size(), 1U);
  EXPECT_NE(pool.pids().at(0), pid);
}

TEST_P(PoolLost, FailsItsElementAloneWhateverTheChunk) {
  Pool pool(2);
  for (const std::size_t chunk : {1U, 4U, 50U, 100U}) {
    for (const int bad : {0, 37, 49, 99}) {
      Tally tally(100);
      try {
        pool.map(procession::bind(count_and_end, tally.where(), GetParam(), bad),
                 std::views::iota(0, 100), {.chunksize = chunk});
        FAIL();
      } catch (const WorkerLost& lost) {
        EXPECT_EQ(lost.task_index(), static_cast<std::size_t>(bad));
        EXPECT_EQ(lost.exitcode(), exitcode_of(GetParam()));
      }
      EXPECT_EQ(tally.other_than(1), 0U) << chunk << ' ' << bad;
    }
  }
  EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
}

INSTANTIATE_TEST_SUITE_P(By, PoolLost,
                         testing::Values(End::abort, End::segfault, End::exit, End::immediate_exit,
                                         End::kill, End::terminate),
                         [](const auto& tested) { return name_of(tested.param); });

// What was finished before in the same chunk is neither lost nor run again: results of one piece,
// of several pieces, in the slot and out of it.
TEST(PoolLostResults, OfTheSameChunkAreKept) {
  Pool pool(1);
  for (const std::size_t size : {0U, 4U, 40U, 1'000U, 300'000U}) {
    Tally tally(20);
    const auto result = pool.map(procession::bind(
                                     [](Where where, std::size_t bytes, std::size_t i) {
                                       if (++counter(where, i) == 1 && i % 5 == 2) {
                                         ::raise(SIGKILL);
                                       }
                                       return std::string(bytes, static_cast<char>('a' + i));
                                     },
                                     tally.where(), size),
                                 std::views::iota(std::size_t{0}, std::size_t{20}),
                                 {.chunksize = 10, .retries = 1});
    ASSERT_EQ(result.size(), 20U);
    for (std::size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(result[i], std::string(size, static_cast<char>('a' + i))) << i;
      EXPECT_EQ(tally[i], i % 5 == 2 ? 2U : 1U) << i;
    }
  }
}

int succeed_at(Where tally, std::uint32_t attempt, int x) {
  const auto index = static_cast<std::size_t>(x);
  if (++counter(tally, index) < attempt && x % 7 == 0) {
    ::raise(SIGKILL);
  }
  return square(x);
}

TEST(PoolRetries, RunALostElementAnew) {
  Pool pool(2);
  for (const std::size_t chunk : {1U, 5U, 30U}) {
    Tally tally(30);
    const auto results = pool.map(procession::bind(succeed_at, tally.where(), 3),
                                  std::views::iota(0, 30), {.chunksize = chunk, .retries = 2});
    for (int i = 0; i < 30; ++i) {
      EXPECT_EQ(results[static_cast<std::size_t>(i)], i * i);
      EXPECT_EQ(tally[static_cast<std::size_t>(i)], i % 7 == 0 ? 3U : 1U) << i;
    }
  }
}

TEST(PoolRetries, EndInTheEnd) {
  Pool pool(2);
  for (const std::size_t chunk : {1U, 5U, 30U}) {
    Tally tally(30);
    try {
      pool.map(procession::bind(succeed_at, tally.where(), 100), std::views::iota(1, 30),
               {.chunksize = chunk, .retries = 2});
      FAIL();
    } catch (const WorkerLost& lost) {
      EXPECT_EQ(lost.task_index(), 6U);  // 7 is the first to be killed
      const std::string text = lost.what();
      EXPECT_NE(text.find("this one was run 3 times"), std::string::npos) << text;
      EXPECT_EQ(text.find("runs such a task anew"), std::string::npos) << text;
    }
    for (std::size_t i = 1; i < 30; ++i) {
      EXPECT_EQ(tally[i], i % 7 == 0 ? 3U : 1U) << i;
    }
  }
}

TEST(PoolRetries, AreNotForExceptions) {
  Pool pool(1);
  Tally tally;
  EXPECT_THROW(pool.map(procession::bind(
                            [](Where where, int) {
                              ++counter(where);
                              throw std::runtime_error("once");
                            },
                            tally.where()),
                        {1}, {.retries = 5}),
               std::runtime_error);
  EXPECT_EQ(tally[0], 1U);
}

TEST(PoolLostMixed, TheFirstFailureInOrderWins) {
  Pool pool(2);
  for (int round = 0; round < 5; ++round) {
    EXPECT_THROW(pool.map(
                     [](int x) {
                       if (x == 5) {
                         throw std::out_of_range("five");
                       }
                       if (x == 15) {
                         ::raise(SIGKILL);
                       }
                       return x;
                     },
                     std::views::iota(0, 20), {.chunksize = 2}),
                 std::out_of_range);
    EXPECT_THROW(pool.map(
                     [](int x) {
                       if (x == 15) {
                         throw std::out_of_range("five");
                       }
                       if (x == 5) {
                         ::raise(SIGKILL);
                       }
                       return x;
                     },
                     std::views::iota(0, 20), {.chunksize = 20}),
                 WorkerLost);
  }
}

TEST(PoolLostMixed, EveryElementKillsItsWorker) {
  Pool pool(2);
  Tally tally(40);
  EXPECT_THROW(pool.map(procession::bind(
                            [](Where where, std::size_t i) {
                              ++counter(where, i);
                              ::raise(SIGKILL);
                            },
                            tally.where()),
                        std::views::iota(std::size_t{0}, std::size_t{40}), {.chunksize = 10}),
               WorkerLost);
  EXPECT_EQ(tally.other_than(1), 0U);
  EXPECT_EQ(pool.apply(square, 2), 4);
}

void kill_all(const Pool& pool) {
  for (const int pid : pool.pids()) {
    ::kill(pid, SIGKILL);
  }
}

TEST(Pains, Pain08_APoolWhoseWorkersAllDieHeals) {
  Pool pool(3);
  for (int round = 0; round < 10; ++round) {
    Tally tally(2);
    const auto map = pool.map_async(procession::bind(
                                        [](Where where, int x) {
                                          ++counter(where);
                                          await(where + sizeof(std::uint32_t));
                                          return x;
                                        },
                                        tally.where()),
                                    std::views::iota(0, 3), {.chunksize = 1});
    until([&] { return tally[0] == 3; });
    kill_all(pool);
    EXPECT_THROW(map.get(), WorkerLost);
    EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
  }
}

TEST(PoolKilled, WhileTheySleep) {
  Pool pool(2);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(2ms);
    kill_all(pool);
    EXPECT_EQ(pool.map(square, {1, 2, 3, 4}, {.chunksize = 1, .retries = 100}),
              (std::vector<int>{1, 4, 9, 16}));
  }
}

TEST(PoolKilled, WhileTheySpin) {
  Pool pool(2);
  for (int round = 0; round < 30; ++round) {
    pool.apply(square, 1);
    kill_all(pool);  // within the time that they look for more
    EXPECT_EQ(pool.map(square, {1, 2, 3, 4}, {.chunksize = 1, .retries = 100}),
              (std::vector<int>{1, 4, 9, 16}));
  }
}

TEST(PoolKilled, WhileTheyStart) {
  for (int round = 0; round < 20; ++round) {
    Pool pool(2);
    kill_all(pool);
    const auto result = pool.map_async(square, {1, 2, 3, 4}, {.chunksize = 1, .retries = 100});
    if (round % 2 == 0) {
      kill_all(pool);
    }
    EXPECT_EQ(result.get(), (std::vector<int>{1, 4, 9, 16}));
  }
}

TEST(PoolKilled, AgainAndAgainWhileTheyStart) {
  Pool pool(1);
  for (int kills = 0; kills < 20; ++kills) {
    const auto pids = pool.pids();
    for (const int pid : pids) {
      ::kill(pid, SIGKILL);
    }
    until([&] { return pool.pids() != pids; });
  }
  EXPECT_EQ(pool.map(square, {5}, {.retries = 100}), std::vector<int>{25});
}

TEST(PoolKilled, TheForkServerMeanwhile) {
  Pool pool(2);
  EXPECT_EQ(pool.apply(square, 1), 1);
  for (std::size_t round = 0; round < 10; ++round) {
    const std::vector<int> servers = fork_servers();
    for (std::size_t i = 0; i < std::min(servers.size(), std::size_t{1} + round % kMostServers);
         ++i) {
      ::kill(servers[i], SIGKILL);
    }
    EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));  // is not needed
    kill_all(pool);                                                       // is needed
    EXPECT_EQ(pool.map(square, {1, 2, 3}, {.retries = 100}), (std::vector<int>{1, 4, 9}));
  }
}

TEST(PoolKilled, WithACloseInBetween) {
  for (int round = 0; round < 20; ++round) {
    Tally tally(50);
    {
      Pool pool(2);
      pool.map_async(
          procession::bind([](Where where, std::size_t i) { ++counter(where, i); }, tally.where()),
          std::views::iota(std::size_t{0}, tally.size()), {.chunksize = 1, .retries = 100});
      pool.close();
      kill_all(pool);
    }
    EXPECT_EQ(tally.sum() >= tally.size(), true);
  }
}

TEST(PoolKilled, WithATerminateInBetween) {
  for (int round = 0; round < 20; ++round) {
    Pool pool(2);
    const auto result = pool.map_async(square, std::views::iota(0, 3000), {.chunksize = 1});
    kill_all(pool);
    pool.terminate();
    EXPECT_TRUE(result.ready());
  }
}

}  // namespace
}  // namespace procession::pooltest
