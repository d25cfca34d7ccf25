// The examples of threads and executors, run as programs of their own.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "run_program.hpp"

namespace {

TEST(Examples, P15ThreadsDoTheSame) {
  const examples::Outcome outcome = examples::run("p15_threads");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  std::vector<std::string> lines = outcome.lines();
  ASSERT_EQ(lines.size(), 10U);
  std::sort(lines.begin(), lines.begin() + 3);  // these three run side by side
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "10 doubled to 20 by Thread-2", "15 doubled to 30 by Thread-3",
                       "5 doubled to 10 by Thread-1", "15", "first", "first has ended", "second",
                       "second has ended", "third", "third has ended"}));
}

TEST(Examples, P22FuturesEndInAnyOrderAndAreHadInEach) {
  const examples::Outcome outcome = examples::run("p22_executor");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.lines(), (std::vector<std::string>{"as they end: 9 4 1", "as submitted: 1 4 9",
                                                       "mapped: 1 8 27"}));
}

}  // namespace
