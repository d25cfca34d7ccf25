#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "process/fork_server.hpp"
#include "procession/context.hpp"
#include "support.hpp"

// The fork servers, which pools start their workers with, several at once.
namespace procession::pooltest {
namespace {

constexpr const char* kEndAtStart = "PROCESSION_TEST_END_AT_START";

// In a server whose program ends before it calls init().
const bool ended_at_start = [] {
  if (std::getenv(kEndAtStart) != nullptr) {
    ::_exit(3);
  }
  return false;
}();

int one_more(int number) { return number + 1; }

/// Begins and ends without a server.
class PoolServers : public testing::Test {
 protected:
  void SetUp() override { forget(); }
  void TearDown() override { forget(); }

  /// Waits until that many servers are left, and nothing but them.
  static void expect_servers(std::size_t count) {
    until([&] { return children().size() == count; });
  }

 private:
  static void forget() {
    process::ForkServer::instance().set_preload({}, 0);
    expect_servers(0);
  }
};

TEST_F(PoolServers, AreOneForASinglePoolAndTwoFromTheSecondOn) {
  Pool(2).apply(one_more, 1);
  expect_servers(1);
  Pool(1).apply(one_more, 1);
  expect_servers(1);
  Pool(2).apply(one_more, 1);
  expect_servers(2);
  for (int i = 0; i < 5; ++i) {
    Pool(3).apply(one_more, 1);
  }
  expect_servers(2);
}

TEST_F(PoolServers, ShareTheWorkers) {
  have_servers();
  expect_servers(2);
  const int second = fork_servers().back();
  ASSERT_EQ(::kill(second, SIGSTOP), 0);
  until([&] { return state_of(second) == "T"; });
  std::atomic<bool> made = false;
  std::optional<Pool> pool;
  std::thread maker([&] {
    pool.emplace(std::size_t{2});
    made = true;
  });
  until([] { return children().size() == 3; });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(made) << "the server that is stopped was not asked for its share";
  EXPECT_EQ(children().size(), 3U);
  ::kill(second, SIGCONT);
  maker.join();
  EXPECT_EQ(pool->map(one_more, {1, 2, 3}), (std::vector<int>{2, 3, 4}));
}

TEST_F(PoolServers, KilledDuringStartsLoseNoWorker) {
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  std::vector<int> numbers(20);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<int> expected(20);
  std::iota(expected.begin(), expected.end(), 1);
  for (int round = 0; round < 40; ++round) {
    have_servers();
    const std::vector<int> servers = fork_servers();
    const std::uint64_t which = 1 + random() % 3;  // bit N: server N is killed
    const std::chrono::microseconds when(random() % 600);
    std::thread killer([&] {
      std::this_thread::sleep_for(when);
      for (std::size_t i = 0; i < servers.size(); ++i) {
        if ((which >> i & 1U) != 0) {
          ::kill(servers[i], SIGKILL);
        }
      }
    });
    Pool pool(4);
    killer.join();
    EXPECT_EQ(pool.pids().size(), 4U);
    // A number that is not a server's any more may be a worker's.
    EXPECT_EQ(pool.map(one_more, numbers, {.retries = 100}), expected);
  }
  until([] { return children().size() <= kMostServers; });
}

TEST_F(PoolServers, AreOneWhereThereIsAPreload) {
  const Tally calls(1);
  set_forkserver_preload(procession::bind([](Where where) { ++counter(where); }, calls.where()));
  have_servers();
  have_servers();
  expect_servers(1);
  EXPECT_EQ(calls[0], 1U);
}

TEST_F(PoolServers, AreOneWhereASecondOneEnds) {
  Pool(2).apply(one_more, 1);
  ::setenv(kEndAtStart, "1", 1);
  Pool(2).apply(one_more, 1);
  ::unsetenv(kEndAtStart);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Pool(2).map(one_more, {1, 2, 3}), (std::vector<int>{2, 3, 4}));
  }
  expect_servers(1);
}

}  // namespace
}  // namespace procession::pooltest
