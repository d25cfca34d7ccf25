// Pools whose workers are killed at random times and, in debug builds, at random steps of what they
// do to the memory that they share: every task has its value, or WorkerLost if it was running in a
// worker that was killed; nothing hangs, and nothing is left.
//
// PROCESSION_TORTURE_SEED and PROCESSION_TORTURE_SECONDS choose the seed and the duration;
// scripts/torture runs it for long.

#include <csignal>
#include <memory>
#include <mutex>
#include <random>
#include <ranges>

#include "left.hpp"
#include "procession/error.hpp"
#include "procession/process.hpp"
#include "support.hpp"
#include "support/kill_step.hpp"
#include "support/setting.hpp"

namespace procession::pooltest {
namespace {

using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t limit) { return random() % limit; }

/// What a task does, and by that what its result is.
struct Work {
  std::uint64_t number = 0;
  std::uint64_t result_size = 0;
  std::uint32_t microseconds = 0;
  std::vector<std::uint64_t> ballast;
};

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

std::vector<std::uint64_t> expected_result(const Work& work) {
  std::vector<std::uint64_t> result(work.result_size);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = mixed(work.number + i);
  }
  return result;
}

/// `starts` counts how often the task began, `ends` how often it came to its end.
std::vector<std::uint64_t> run(Where starts, Where ends, Where first, const Work& work) {
  const std::size_t index = work.number - first;
  ++counter(starts, index);
  for (std::size_t i = 0; i < work.ballast.size(); ++i) {
    if (work.ballast[i] != mixed(i)) {
      throw std::logic_error("the arguments are damaged");
    }
  }
  if (work.microseconds > 500) {
    std::this_thread::sleep_for(std::chrono::microseconds(work.microseconds));
  } else {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::microseconds(work.microseconds);
    while (std::chrono::steady_clock::now() < end) {
    }
  }
  auto result = expected_result(work);
  ++counter(ends, index);
  return result;
}

/// The same for a vector of small results.
std::uint64_t run_small(Where starts, Where ends, Where first, const Work& work) {
  return run(starts, ends, first, work).size() + work.number;
}

Work random_work(Random& random, std::uint64_t number) {
  Work work;
  work.number = number;
  const auto kind = below(random, 100);
  work.microseconds = static_cast<std::uint32_t>(kind < 60   ? 0
                                                 : kind < 90 ? below(random, 200)
                                                             : below(random, 3'000));
  const auto size = below(random, 200);
  work.result_size = size < 150 ? below(random, 20) : size < 198 ? below(random, 5'000) : 200'000;
  work.ballast.resize(below(random, 20) != 0 ? below(random, 10) : below(random, 20'000));
  for (std::size_t i = 0; i < work.ballast.size(); ++i) {
    work.ballast[i] = mixed(i);
  }
  return work;
}

/// What is asked of a pool's workers: to die by themselves, each at a random step.
struct Doom {
  bool wanted = false;
  std::uint64_t seed = 0;
  Where counted = 0;  ///< how many did
};

/// The initializer of all workers.
void doom_worker(const Doom& doom) {
#ifndef NDEBUG
  static Where counted = 0;
  Random random(doom.seed + static_cast<std::uint64_t>(::getpid()));
  if (!doom.wanted || below(random, 4) == 0) {
    return;
  }
  counted = doom.counted;
  kill_step::left = 1 + below(random, std::uint64_t{100} << below(random, 8));
  heap::testing::on_step = [] {
    if (kill_step::left != 0 && --kill_step::left == 0) {
      ++counter(counted, 0);
      ::kill(::getpid(), SIGKILL);
    }
  };
#else
  static_cast<void>(doom);
#endif
}

/// Kills workers of a pool at random times, from a thread of this process.
class Killer {
 public:
  Killer(Pool& pool, std::uint64_t seed, std::uint64_t most_pause)
      : thread_([this, &pool, seed, most_pause] {
          Random random(seed);
          std::uint64_t rest_after = 40;
          while (!stop_) {
            std::this_thread::sleep_for(std::chrono::microseconds(below(random, most_pause)));
            if (kills_ > rest_after) {
              // Where starts are slow, none would ever be ready, and the pool would say so.
              const AsyncResult<void> sign = pool.apply_async([] {});
              until([&] { return stop_ || sign.ready(); });
              rest_after = kills_ + 40;
            }
            const std::vector<int> pids = pool.pids();
            if (pids.empty()) {
              continue;
            }
            const auto all = below(random, 20) == 0 ? pids.size() : 1;
            for (std::size_t i = 0; i < all; ++i) {
              const int pid = all == 1 ? pids[below(random, pids.size())] : pids[i];
              if (process_test::stat_of(pid).parent == ::getpid() && ::kill(pid, SIGKILL) == 0) {
                ++kills_;
              }
            }
            if (below(random, 200) == 0) {
              const std::vector<int> servers = fork_servers();
              if (const auto which = below(random, kMostServers); which < servers.size()) {
                ::kill(servers[which], SIGKILL);
                ++servers_;
              }
            }
          }
        }) {}
  ~Killer() { stop(); }

  void stop() {
    stop_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  [[nodiscard]] std::uint64_t kills() const { return kills_; }
  [[nodiscard]] std::uint64_t servers() const { return servers_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<std::uint64_t> kills_ = 0;
  std::atomic<std::uint64_t> servers_ = 0;
  std::thread thread_;
};

struct Counts {
  std::uint64_t rounds = 0;
  std::uint64_t tasks = 0;
  std::uint64_t kills = 0;
  std::uint64_t by_step = 0;  ///< workers that died by themselves, at a step
  std::uint64_t servers = 0;
  std::uint64_t lost = 0;
  std::uint64_t again = 0;  ///< runs of a task after its first
};

struct Round {
  std::uint64_t seed;
  bool retries;
};

/// One pool, some jobs, and a killer.
void play(const Round& round, Counts& counts) {
  Random random(round.seed);
  const std::size_t workers = 1 + below(random, 4);
  const std::size_t jobs = 1 + below(random, 12);
  const Tally by_step(1);
  Pool pool(
      {.processes = workers,
       .initializer = bind(doom_worker, Doom{below(random, 2) == 0, random(), by_step.where()}),
       .max_tasks_per_child =
           below(random, 4) == 0 ? std::optional<std::size_t>(1 + below(random, 20)) : std::nullopt,
       .start_method = below(random, 10) == 0 ? StartMethod::spawn : StartMethod::forkserver});
  struct Submitted {
    std::vector<Work> works;
    std::unique_ptr<Tally> starts;
    std::unique_ptr<Tally> ends;
    std::optional<AsyncResult<std::vector<std::vector<std::uint64_t>>>> map;
    std::optional<AsyncResult<std::vector<std::uint64_t>>> small_map;
    std::optional<AsyncResult<std::vector<std::uint64_t>>> single;
  };
  std::vector<Submitted> submitted(jobs);
  Killer killer(pool, random(), std::uint64_t{2'000} << below(random, 6));
  std::uint64_t number = 1;
  for (Submitted& job : submitted) {
    const auto kind = below(random, 3);
    const std::size_t tasks = kind == 0 ? 1 : 1 + below(random, 300);
    const std::uint64_t first = number;
    for (std::size_t i = 0; i < tasks; ++i) {
      job.works.push_back(random_work(random, number++));
    }
    job.starts = std::make_unique<Tally>(tasks);
    job.ends = std::make_unique<Tally>(tasks);
    const MapOptions options{.chunksize = below(random, 4) == 0 ? 0 : 1 + below(random, 40),
                             .retries = round.retries ? 100'000U : 0U};
    const Where starts = job.starts->where();
    const Where ends = job.ends->where();
    if (kind == 0) {
      job.single = pool.apply_async(run, starts, ends, first, job.works[0]);
    } else if (kind == 1) {
      job.map = pool.map_async(procession::bind(run, starts, ends, first), job.works, options);
    } else {
      job.small_map =
          pool.map_async(procession::bind(run_small, starts, ends, first), job.works, options);
    }
    counts.tasks += tasks;
    if (below(random, 4) == 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(below(random, 5'000)));
    }
  }
  const auto check_loss = [&](const Submitted& job, const WorkerLost& lost) {
    ASSERT_LT(lost.task_index(), job.works.size());
    EXPECT_EQ(lost.exitcode(), -SIGKILL);
    EXPECT_NE(lost.pid(), 0);
    if (round.retries && !job.single) {
      ADD_FAILURE() << "element " << lost.task_index() << " is lost in spite of retries";
    }
  };
  std::uint64_t lost_jobs = 0;
  for (Submitted& job : submitted) {
    try {
      if (job.single) {
        EXPECT_EQ(job.single->get(), expected_result(job.works[0]));
      } else if (job.map) {
        const auto results = job.map->get();
        ASSERT_EQ(results.size(), job.works.size());
        for (std::size_t i = 0; i < results.size(); ++i) {
          ASSERT_EQ(results[i], expected_result(job.works[i]));
        }
      } else {
        const auto results = job.small_map->get();
        ASSERT_EQ(results.size(), job.works.size());
        for (std::size_t i = 0; i < results.size(); ++i) {
          ASSERT_EQ(results[i], job.works[i].result_size + job.works[i].number);
        }
      }
      // Each has its value, so each came to its end.
      for (std::size_t i = 0; i < job.works.size(); ++i) {
        EXPECT_GE((*job.ends)[i], 1U);
      }
    } catch (const WorkerLost& lost) {
      ++lost_jobs;
      check_loss(job, lost);
    }
  }
  killer.stop();
  // A task runs once, and once more for each kill that hit it; what did not come to its end was
  // killed. Every kill hits one task at most.
  std::uint64_t unfinished = 0;
  std::uint64_t again = 0;
  for (const Submitted& job : submitted) {
    for (std::size_t i = 0; i < job.works.size(); ++i) {
      const std::uint32_t starts = (*job.starts)[i];
      const std::uint32_t ends = (*job.ends)[i];
      unfinished += ends == 0 ? 1 : 0;
      again += starts > 1 ? starts - 1 : 0;
      if (!round.retries || job.single) {
        EXPECT_LE(starts, 1U) << "ran twice, unasked";
      }
    }
  }
  const std::uint64_t kills = killer.kills() + by_step[0];
  EXPECT_LE(lost_jobs, kills);
  EXPECT_LE(unfinished + again, kills);
  counts.lost += unfinished;
  counts.again += again;
  counts.kills += killer.kills();
  counts.by_step += by_step[0];
  counts.servers += killer.servers();
  // It has healed.
  EXPECT_EQ(pool.map([](int x) { return -x; }, {1, 2, 3}, {.retries = 100'000}),
            (std::vector<int>{-1, -2, -3}));
  if (below(random, 2) == 0) {
    pool.close();
    pool.join();
  }
}

TEST(PoolKill, AtRandomNothingIsLostButWhatRan) {
  const std::uint64_t seed = setting("PROCESSION_TORTURE_SEED", std::random_device()());
  const std::uint64_t seconds = setting("PROCESSION_TORTURE_SECONDS", 12);
  std::printf("seed %llu, %llu s\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(seconds));
  std::fflush(stdout);
  have_servers();
  until([] { return children().size() <= kMostServers; });
  std::this_thread::sleep_for(20ms);
  const Left before = Left::look();
  Random random(seed);
  Counts counts;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end && !HasFailure()) {
    const Round round{random(), below(random, 2) == 0};
    SCOPED_TRACE("round " + std::to_string(counts.rounds) + " with seed " +
                 std::to_string(round.seed));
    play(round, counts);
    expect_nothing_left(before);
    ++counts.rounds;
  }
  std::printf(
      "%llu rounds, %llu tasks; %llu kills of workers, %llu at a step, and %llu of fork servers; "
      "%llu tasks lost, %llu run again\n",
      static_cast<unsigned long long>(counts.rounds), static_cast<unsigned long long>(counts.tasks),
      static_cast<unsigned long long>(counts.kills),
      static_cast<unsigned long long>(counts.by_step),
      static_cast<unsigned long long>(counts.servers), static_cast<unsigned long long>(counts.lost),
      static_cast<unsigned long long>(counts.again));
}

}  // namespace
}  // namespace procession::pooltest
