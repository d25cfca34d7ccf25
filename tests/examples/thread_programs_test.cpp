// The example of threads, run as a program of its own.

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

}  // namespace
