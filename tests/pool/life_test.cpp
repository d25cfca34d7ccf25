// Open, closed, terminated, joined, destroyed.

#include <csignal>
#include <ranges>
#include <set>

#include "procession/error.hpp"
#include "procession/process.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

int begin_and_wait(Where gate, int value) {
  ++counter(gate, 1);  // began
  await(gate);
  return value;
}

TEST(PoolLife, SizeAndPids) {
  Pool pool(3);
  EXPECT_EQ(pool.size(), 3U);
  const auto pids = pool.pids();
  EXPECT_EQ(std::set<int>(pids.begin(), pids.end()).size(), 3U);
  for (const int pid : pids) {
    EXPECT_NE(pid, ::getpid());
    EXPECT_FALSE(ended(pid));
  }
  EXPECT_EQ(Pool().size(), cpu_count());
  EXPECT_EQ(Pool(PoolOptions{}).size(), cpu_count());
}

TEST(PoolLife, RefusesNonsense) {
  EXPECT_THROW(Pool(1025), std::invalid_argument);
  EXPECT_THROW(Pool({.processes = 1, .max_tasks_per_child = 0}), std::invalid_argument);
}

TEST(PoolLife, CloseAndJoinRunAllTasks) {
  Tally gate(2);
  Pool pool(2);
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 50; ++i) {
    results.push_back(pool.apply_async(begin_and_wait, gate.where(), i));
  }
  pool.close();
  EXPECT_THROW(pool.apply(square, 1), ProcessError);
  EXPECT_THROW(pool.map(square, {1, 2}), ProcessError);
  EXPECT_THROW(pool.apply_async(square, 1), ProcessError);
  pool.close();
  gate[0] = 1;
  pool.join();
  EXPECT_EQ(gate[1], 50U);
  pool.join();
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(results[static_cast<std::size_t>(i)].ready());
    EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), i);
  }
  EXPECT_THROW(pool.apply(square, 1), ProcessError);
}

TEST(PoolLife, JoinOfAnOpenPoolIsRefused) {
  Pool pool(1);
  EXPECT_THROW(pool.join(), ProcessError);
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST(Pains, Pain26_AnyThreadMayJoinAPool) {
  Pool pool(2);
  const auto result = pool.map_async(square, std::views::iota(0, 1000), {.chunksize = 1});
  pool.close();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { pool.join(); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(result.ready());
}

TEST(PoolLife, WorkersOfAClosedPoolEnd) {
  Pool pool(2);
  pool.apply(square, 2);
  const auto pids = pool.pids();
  pool.close();
  pool.join();
  for (const int pid : pids) {
    EXPECT_EQ(state_of(pid), "gone");
  }
}

TEST(PoolLife, DestructionOfAClosedPoolJoins) {
  Tally tally(2);
  tally[0] = 1;
  {
    Pool pool(2);
    for (int i = 0; i < 100; ++i) {
      pool.apply_async(begin_and_wait, tally.where(), i);
    }
    pool.close();
  }
  EXPECT_EQ(tally[1], 100U);
}

TEST(Pains, Pain14_DestructionOfAnOpenPoolTerminates) {
  Tally gate(2);
  std::optional<AsyncResult<int>> running;
  std::optional<AsyncResult<int>> queued;
  std::vector<int> pids;
  {
    Pool pool(1);
    pids = pool.pids();
    running = pool.apply_async(begin_and_wait, gate.where(), 1);
    queued = pool.apply_async(begin_and_wait, gate.where(), 2);
    until([&] { return gate[1] == 1; });
  }
  EXPECT_THROW(running->get(), Cancelled);
  EXPECT_THROW(queued->get(), Cancelled);
  EXPECT_EQ(state_of(pids.at(0)), "gone");
}

TEST(PoolLife, TerminateCancelsWhatRunsAndWhatWaits) {
  Tally gate(2);
  Pool pool(2);
  const auto done = pool.apply_async(square, 5);
  done.wait();
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 10; ++i) {
    results.push_back(pool.apply_async(begin_and_wait, gate.where(), i));
  }
  const auto map = pool.map_async(procession::bind(begin_and_wait, gate.where()),
                                  std::views::iota(0, 5000), {.chunksize = 1});
  until([&] { return gate[1] == 2; });
  std::thread waiter([&] { EXPECT_THROW(results[7].get(), Cancelled); });
  pool.terminate();
  waiter.join();
  for (const auto& result : results) {
    EXPECT_TRUE(result.ready());
    EXPECT_FALSE(result.successful());
    EXPECT_THROW(result.get(), Cancelled);
  }
  EXPECT_THROW(map.get(), Cancelled);
  EXPECT_EQ(done.get(), 25);
  EXPECT_THROW(pool.apply(square, 1), ProcessError);
  EXPECT_TRUE(pool.pids().empty() || ended(pool.pids().at(0)));
  pool.join();
  pool.terminate();
  EXPECT_EQ(gate[1], 2U);
}

// Many times, because the end of a worker and the end of its pool race for what is said of the
// task.
TEST(PoolLife, WhatWasTerminatedIsAlwaysCancelled) {
  for (int round = 0; round < 40; ++round) {
    Tally gate(2);
    Pool pool(2);
    const auto one = pool.apply_async(begin_and_wait, gate.where(), 1);
    const auto two = pool.apply_async(begin_and_wait, gate.where(), 2);
    const auto three = pool.apply_async(begin_and_wait, gate.where(), 3);
    until([&] { return gate[1] == 2; });
    pool.terminate();
    ASSERT_THROW(one.get(), Cancelled);
    ASSERT_THROW(two.get(), Cancelled);
    ASSERT_THROW(three.get(), Cancelled);
  }
}

TEST(PoolLife, TerminateWhileOthersSubmit) {
  for (int round = 0; round < 10; ++round) {
    Pool pool(2);
    std::atomic<bool> began = false;
    std::thread submitter([&] {
      try {
        for (;;) {
          const auto result = pool.map_async(square, std::views::iota(0, 100), {.chunksize = 1});
          began = true;
          result.get();
        }
      } catch (const ProcessError&) {  // Cancelled, or not open any more
      }
    });
    until([&] { return began.load(); });
    pool.terminate();
    submitter.join();
  }
}

// What comes too late is refused; what was taken is run.
TEST(PoolLife, CloseWhileOthersSubmit) {
  for (int round = 0; round < 30; ++round) {
    Tally tally;
    Pool pool(2);
    std::atomic<unsigned> taken = 0;
    std::vector<std::thread> submitters;
    for (int i = 0; i < 2; ++i) {
      submitters.emplace_back([&] {
        std::vector<AsyncResult<void>> results;
        try {
          for (;;) {
            results.push_back(
                pool.apply_async([](Where where) { ++counter(where); }, tally.where()));
            ++taken;
          }
        } catch (const ProcessError&) {
        }
        for (const auto& result : results) {
          result.get();
        }
      });
    }
    until([&] { return taken > 20U; });
    pool.close();
    pool.join();
    for (auto& submitter : submitters) {
      submitter.join();
    }
    EXPECT_EQ(tally[0], taken);
  }
}

TEST(PoolLife, CloseInTheMiddleOfAMap) {
  Pool pool(1);
  const auto numbers = std::views::iota(0, 10) | std::views::transform([&](int x) {
                         if (x == 5) {
                           pool.close();
                         }
                         return x;
                       });
  EXPECT_THROW(pool.map(square, numbers, {.chunksize = 1}), ProcessError);
  pool.join();
}

TEST(Pains, Pain13_TerminateKillsAWorkerThatIgnoresSigterm) {
  Tally gate(2);
  std::vector<int> pids;
  {
    Pool pool(1);
    pids = pool.pids();
    const auto result = pool.apply_async(
        [](Where where) {
          std::signal(SIGTERM, SIG_IGN);
          counter(where, 1) = 1;
          await(where);
        },
        gate.where());
    until([&] { return gate[1] == 1; });
    pool.terminate();
    EXPECT_THROW(result.get(), Cancelled);
  }
  EXPECT_EQ(state_of(pids.at(0)), "gone");
}

TEST(Pains, Pain13_TerminateKillsAStoppedWorker) {
  Pool pool(1);
  pool.apply(square, 1);
  const int pid = pool.pids().at(0);
  ::kill(pid, SIGSTOP);
  const auto result = pool.apply_async(square, 2);
  pool.terminate();
  EXPECT_THROW(result.get(), Cancelled);
  EXPECT_EQ(state_of(pid), "gone");
}

TEST(PoolLife, AnExceptionThatPassesThePool) {
  Tally gate(2);
  EXPECT_THROW(
      {
        Pool pool(2);
        pool.apply_async(begin_and_wait, gate.where(), 1);
        throw std::runtime_error("elsewhere");
      },
      std::runtime_error);
}

TEST(PoolLife, CanBeMoved) {
  Pool first(1);
  Pool second(std::move(first));
  EXPECT_EQ(second.apply(square, 4), 16);
  EXPECT_THROW(first.apply(square, 4), ProcessError);  // NOLINT: what moving leaves is tested
  EXPECT_THROW(static_cast<void>(first.size()), ProcessError);
  Pool third(1);
  third = std::move(second);
  EXPECT_EQ(third.apply(square, 5), 25);
}

TEST(PoolLife, MadeAndEndedOverAndOver) {
  have_servers();
  const std::size_t before = open_descriptors();
  for (int round = 0; round < 30; ++round) {
    Pool pool(2);
    if (round % 3 == 0) {
      EXPECT_EQ(pool.apply(square, round), round * round);
    }
    if (round % 2 == 0) {
      pool.close();
    }
  }
  until([&] { return open_descriptors() <= before; });
  EXPECT_LE(children().size(), kMostServers);
}

}  // namespace
}  // namespace procession::pooltest
