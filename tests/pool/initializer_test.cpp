// What runs in each worker before its first task, and what comes of it when that fails.

#include <csignal>
#include <ranges>
#include <set>

#include "procession/error.hpp"
#include "procession/exception.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

std::string greeting;  // of each worker

void greet(Where tally, const std::string& text) {
  ++counter(tally);
  greeting += text;
}

TEST(PoolInitializer, RunsOnceInEachWorker) {
  Tally tally;
  Pool pool({.processes = 3,
             .initializer = procession::bind(greet, tally.where(), std::string(200, 'h'))});
  const auto greetings =
      pool.map([](int) { return greeting; }, std::views::iota(0, 100), {.chunksize = 1});
  for (const auto& text : greetings) {
    EXPECT_EQ(text, std::string(200, 'h'));
  }
  until([&] { return tally[0] == 3; });
  EXPECT_TRUE(greeting.empty());
}

TEST(PoolInitializer, RunsInReplacementsToo) {
  Tally tally;
  Pool pool({.processes = 1,
             .initializer = procession::bind(greet, tally.where(), "hi"),
             .max_tasks_per_child = 2});
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(pool.apply([] { return greeting; }), "hi");
  }
  EXPECT_GE(tally[0], 3U);
}

TEST(PoolInitializer, ThatCapturedAnAddressIsRefused) {
  int here = 0;
  EXPECT_THROW(Pool({.processes = 1, .initializer = [&here] { ++here; }}), std::invalid_argument);
}

// Python's pool respawns for ever.
TEST(Pains, Pain12_AnInitializerThatThrowsFailsThePoolWithItsCause) {
  Tally tally;
  Pool pool({.processes = 2,
             .initializer = procession::bind(
                 [](Where where) {
                   ++counter(where);
                   throw std::out_of_range("no such device");
                 },
                 tally.where())});
  try {
    pool.apply([] { return 1; });
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "no such device");
    ASSERT_NE(remote_trace(error), nullptr);
    EXPECT_NE(remote_trace(error)->pid(), ::getpid());
  }
  // And so it stays, for whatever comes after.
  EXPECT_THROW(pool.apply([] { return 1; }), std::out_of_range);
  EXPECT_THROW(pool.map([](int x) { return x; }, {1, 2}), std::out_of_range);
  EXPECT_LE(tally[0], 4U);
  pool.close();
  pool.join();
}

TEST(PoolInitializer, ThatThrowsFailsWhatWasSubmittedBefore) {
  Tally gate;
  Pool pool({.processes = 2,
             .initializer = procession::bind(
                 [](Where where) {
                   await(where);
                   throw std::out_of_range("late");
                 },
                 gate.where())});
  const auto one = pool.apply_async([] { return 1; });
  const auto many =
      pool.map_async([](int x) { return x; }, std::views::iota(0, 5000), {.chunksize = 1});
  EXPECT_FALSE(one.wait(0s));
  gate[0] = 1;
  EXPECT_THROW(one.get(), std::out_of_range);
  EXPECT_THROW(many.get(), std::out_of_range);
}

TEST(PoolInitializer, ThatAbortsFailsThePool) {
  Pool pool({.processes = 2, .initializer = [] {
               std::signal(SIGABRT, SIG_DFL);
               std::abort();
             }});
  try {
    pool.apply([] { return 1; });
    FAIL();
  } catch (const ProcessError& error) {
    EXPECT_NE(std::string(error.what()).find("before they were ready"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("-6"), std::string::npos) << error.what();
  }
}

TEST(PoolInitializer, ThatExitsFailsThePool) {
  Pool pool({.processes = 2, .initializer = [] { ::_exit(3); }});
  EXPECT_THROW(pool.map([](int x) { return x; }, {1, 2}), ProcessError);
}

// One killed worker in the middle of its start is not the initializer's fault.
TEST(PoolInitializer, KilledFromOutsideItRunsAnew) {
  Tally tally(2);
  Pool pool({.processes = 1,
             .initializer = procession::bind(
                 [](Where where) {
                   if (++counter(where) < 4) {
                     ::raise(SIGKILL);
                   }
                   counter(where, 1) = 1;
                 },
                 tally.where())});
  EXPECT_EQ(pool.apply([] { return 5; }), 5);
  EXPECT_EQ(tally[0], 4U);
}

}  // namespace
}  // namespace procession::pooltest
