// Where the system has no descriptors, processes or memory for new workers: what waits fails with
// the reason, and the pool works again once there is room.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "kinds.hpp"
#include "pool/start_backoff.hpp"
#include "process/program.hpp"
#include "procession/error.hpp"
#include "procession/executor.hpp"
#include "support/no_descriptors.hpp"
#include "support/sanitized.hpp"

namespace procession::pooltest {
namespace {

void kill_all(const std::vector<int>& pids) {
  for (const int pid : pids) {
    ::kill(pid, SIGKILL);
  }
  for (const int pid : pids) {
    until([&] { return ended(pid); });
  }
}

template <class Call>
void expect_no_descriptors(const Call& call) {
  try {
    call();
    FAIL() << "there was a worker";
  } catch (const ProcessError& error) {
    EXPECT_NE(std::string(error.what()).find("RLIMIT_NOFILE is 3"), std::string::npos)
        << error.what();
  }
}

class PoolWithoutDescriptors : public testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "the sanitizer needs descriptors itself";
  }
};

TEST_F(PoolWithoutDescriptors, WhatWaitsFailsAndThePoolHeals) {
  for (const StartMethod method :
       {StartMethod::forkserver, StartMethod::spawn, StartMethod::fork}) {
    Pool pool({.processes = 2, .start_method = method});
    EXPECT_EQ(pool.apply(square, 3), 9);
    {
      const NoDescriptors none;
      kill_all(pool.pids());
      expect_no_descriptors([&] { pool.apply(square, 3); });
      expect_no_descriptors([&] { pool.map(square, {1, 2, 3}); });
      expect_no_descriptors([&] { pool.imap(square, {1, 2, 3}).next(); });
      EXPECT_TRUE(pool.pids().empty());
    }
    EXPECT_EQ(pool.apply(square, 4), 16) << to_string(method);
    EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
    until([&] { return pool.pids().size() == 2; });
    pool.close();
    pool.join();
  }
}

TEST_F(PoolWithoutDescriptors, APoolThatNobodyAsksHealsToo) {
  Pool pool(2);
  {
    const NoDescriptors none;
    kill_all(pool.pids());
    expect_no_descriptors([&] { pool.apply(square, 3); });
  }
  until([&] { return pool.pids().size() == 2; });
}

TEST_F(PoolWithoutDescriptors, AnExecutorHeals) {
  ProcessPoolExecutor executor(2);
  int worker = executor.submit([] { return ::getpid(); }).result();
  {
    const NoDescriptors none;
    // Either of them, until none is left.
    try {
      for (;;) {
        kill_all({worker});
        worker = executor.submit([] { return ::getpid(); }).result();
      }
    } catch (const WorkerLost&) {
      ADD_FAILURE() << "no task was under way";
    } catch (const ProcessError& error) {
      EXPECT_NE(std::string(error.what()).find("RLIMIT_NOFILE is 3"), std::string::npos);
    }
    expect_no_descriptors([&] { executor.submit(square, 3).result(); });
  }
  EXPECT_EQ(executor.submit(square, 3).result(), 9);
  executor.shutdown();
}

TEST_F(PoolWithoutDescriptors, AThreadThatMadeRoomForAnotherIsReplacedLater) {
  ThreadPool pool({.processes = 1, .max_tasks_per_child = 1});
  {
    const NoDescriptors none;
    EXPECT_EQ(pool.apply(square, 3), 9);
    expect_no_descriptors([&] { pool.apply(square, 3); });
  }
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_F(PoolWithoutDescriptors, WorkersThatAreLeftGoOn) {
  Pool pool(2);
  const std::vector<int> pids = pool.pids();
  const NoDescriptors none;
  kill_all({pids[0]});
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < 3 * pool::StartBackoff::kPatience) {
    EXPECT_EQ(pool.apply([] { return ::getpid(); }), pids[1]);
  }
}

/// A descriptor for each start of a worker that fails would make the lack worse.
TEST_F(PoolWithoutDescriptors, AttemptsLeaveNothingBehind) {
  have_servers();
  Pool pool(2);
  const std::size_t before = open_descriptors();
  {
    const NoDescriptors none;
    kill_all(pool.pids());
    expect_no_descriptors([&] { pool.apply(square, 3); });
    expect_no_descriptors([&] { pool.apply(square, 3); });
  }
  until([&] { return pool.pids().size() == 2; });
  until([&] { return open_descriptors() <= before; });
}

/// Ends by the signal until the file is there.
void end_until(const std::string& file, int number) {
  if (!std::filesystem::exists(file)) {
    std::signal(number, SIG_DFL);
    ::raise(number);
  }
}

TEST(PoolScarcity, WorkersThatWereKilledAsTheyStartedAreReplacedWhenTheyLiveAgain) {
  for (const int number : {SIGKILL, SIGSEGV}) {
    const process_test::Folder folder;
    const std::string file = folder.file("memory");
    Pool pool({.processes = 2, .initializer = procession::bind(end_until, file, number)});
    for (int i = 0; i < 2; ++i) {
      try {
        pool.apply(square, 3);
        FAIL();
      } catch (const ProcessError& error) {
        EXPECT_NE(std::string(error.what()).find("before they were ready"), std::string::npos)
            << error.what();
      }
    }
    std::ofstream(file) << "there";
    // What comes in the middle of an attempt may share its end.
    until([&] {
      try {
        return pool.apply(square, 3) == 9;
      } catch (const ProcessError&) {
        return false;
      }
    });
    EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
  }
}

void expect_healed(const process_test::Outcome& outcome, const std::string& reason) {
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("refused: "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(reason), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("after: 9\n"), std::string::npos) << outcome.out;
}

TEST(PoolScarcity, WithoutProcessesWhatWaitsFailsAndThePoolHeals) {
  const auto outcome = process_test::run_program("scarce_program", {"processes"});
  if (outcome.out.starts_with("skip: ")) {
    GTEST_SKIP() << outcome.out;
  }
  expect_healed(outcome, "RLIMIT_NPROC");
}

TEST(PoolScarcity, WithoutSharedMemoryWhatWaitsFailsAndThePoolHeals) {
  expect_healed(process_test::run_program("scarce_program", {"memory"}, {"PROCESSION_HEAP=16M"}),
                "PROCESSION_HEAP");
}

using Moment = pool::StartBackoff::Clock::time_point;

TEST(StartBackoff, DoublesToItsLongestAndBeginsAnew) {
  pool::StartBackoff backoff;
  Moment now{1h};
  EXPECT_EQ(backoff.left(now), Duration::zero());
  Duration before{};
  for (int i = 0; i < 20; ++i) {
    backoff.failed(now);
    const Timeout left = backoff.left(now);
    ASSERT_TRUE(left);
    EXPECT_TRUE(*left == 2 * before || before == Duration::zero() ||
                *left == pool::StartBackoff::kLongest);
    EXPECT_EQ(backoff.left(now + *left), Duration::zero());
    EXPECT_EQ(backoff.has_lasted(now), now - Moment(1h) >= pool::StartBackoff::kPatience);
    before = *left;
    now += *left;
  }
  EXPECT_EQ(before, pool::StartBackoff::kLongest);
  backoff.succeeded();
  EXPECT_EQ(backoff.left(now), Duration::zero());
  EXPECT_FALSE(backoff.has_lasted(now));
  backoff.failed(now);
  EXPECT_EQ(backoff.left(now), pool::StartBackoff::kFirst);
}

TEST(StartBackoff, ComesSoonerForWhoWantsAWorker) {
  pool::StartBackoff backoff;
  const Moment now{1h};
  backoff.failed(now);
  backoff.rest();
  EXPECT_EQ(backoff.left(now), std::nullopt);
  backoff.hasten();
  EXPECT_EQ(backoff.left(now), pool::StartBackoff::kHastened);
}

}  // namespace
}  // namespace procession::pooltest
