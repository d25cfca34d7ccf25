// Workers that are replaced in good order.

#include <optional>
#include <ranges>
#include <set>

#include "procession/process.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

/// Leaves a child behind, for whose end the end of this worker waits.
int leave_a_child(Where gate) {
  static std::optional<Process> child;
  child.emplace(ProcessOptions{.daemon = false, .start_method = StartMethod::fork}, await, gate);
  child->start();
  return ::getpid();
}

bool sleeps(int pid) { return state_of(pid) == "S"; }

TEST(PoolRetire, MaxTasksReplacesWorkers) {
  Pool pool({.processes = 1, .max_tasks_per_child = 3});
  std::vector<int> pids;
  for (int i = 0; i < 12; ++i) {
    pids.push_back(pool.apply([] { return static_cast<int>(::getpid()); }));
  }
  EXPECT_EQ(std::set<int>(pids.begin(), pids.end()).size(), 4U);
  EXPECT_EQ(pids[0], pids[2]);
  EXPECT_NE(pids[2], pids[3]);
}

TEST(PoolRetire, MaxTasksOfOne) {
  Tally tally(200);
  Pool pool({.processes = 2, .max_tasks_per_child = 1});
  const auto pids = pool.map(procession::bind(
                                 [](Where where, std::size_t i) {
                                   ++counter(where, i);
                                   return static_cast<int>(::getpid());
                                 },
                                 tally.where()),
                             std::views::iota(std::size_t{0}, tally.size()), {.chunksize = 1});
  EXPECT_EQ(std::set<int>(pids.begin(), pids.end()).size(), 200U);
  EXPECT_EQ(tally.other_than(1), 0U);
  EXPECT_EQ(pool.apply(square, 3), 9);
  pool.close();
  pool.join();
}

// Python's pool counts chunks as well.
TEST(Pains, Pain10_MaxTasksWithACloseInBetween) {
  for (int round = 0; round < 10; ++round) {
    Tally tally(30);
    {
      Pool pool({.processes = 2, .max_tasks_per_child = 1});
      pool.map_async(
          procession::bind([](Where where, std::size_t i) { ++counter(where, i); }, tally.where()),
          std::views::iota(std::size_t{0}, tally.size()), {.chunksize = 1});
      pool.close();
    }
    ASSERT_EQ(tally.other_than(1), 0U);
  }
}

// It was still taken for one that looks for tasks, and so nobody was woken for the next one.
TEST(PoolRetire, AWorkerWhoseEndTakesLongIsNotCountedOn) {
  Tally gate;
  Pool pool({.processes = 2, .max_tasks_per_child = 1});
  const auto pids = pool.pids();
  const int retired = pool.apply(leave_a_child, gate.where());
  until([&] { return sleeps(pids.at(0)) && sleeps(pids.at(1)); });
  EXPECT_NE(pool.apply([] { return static_cast<int>(::getpid()); }), retired);
  EXPECT_FALSE(ended(retired));
  gate[0] = 1;
  until([&] { return ended(retired); });
  EXPECT_EQ(pool.apply(square, 3), 9);
}

}  // namespace
}  // namespace procession::pooltest
