// What tasks have printed is out when their results are there, whatever becomes of the workers.

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "process/program.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

using process_test::Outcome;
using process_test::run_program;

constexpr int kTasks = 24;
constexpr int kOdd = 13;
constexpr int kRuns = kSanitized ? 1 : 4;

std::multiset<std::string> lines_of(const std::string& text) {
  std::multiset<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.insert(line);
  }
  return lines;
}

std::multiset<std::string> all_lines() {
  std::multiset<std::string> lines;
  for (int i = 0; i < kTasks; ++i) {
    lines.insert("line " + std::to_string(i));
  }
  return lines;
}

/// To which of its two outputs the program prints.
std::string printed(const Outcome& outcome, const std::string& where) {
  return where.ends_with("clog") ? outcome.err : outcome.out;
}

class PoolPrint : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(PoolPrint, IsOutWhenTheResultsAre) {
  const auto& [how, where] = GetParam();
  for (int run = 0; run < kRuns; ++run) {
    const Outcome outcome = run_program("print_program", {how, where});
    ASSERT_EQ(outcome.exitcode, 0) << outcome.err;
    ASSERT_EQ(lines_of(printed(outcome, where)), all_lines()) << "run " << run;
  }
}

std::string case_name(const testing::TestParamInfo<std::tuple<const char*, const char*>>& of) {
  return std::string(std::get<0>(of.param)) + "_" + std::get<1>(of.param);
}

INSTANTIATE_TEST_SUITE_P(Calls, PoolPrint,
                         testing::Combine(testing::Values("map", "apply", "imap", "unordered",
                                                          "executor", "then"),
                                          testing::Values("printf", "cout")),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Streams, PoolPrint,
                         testing::Combine(testing::Values("map"),
                                          testing::Values("unsynced", "clog", "unsynced_clog",
                                                          "wcout", "unsynced_wcout", "own")),
                         case_name);
// Of a chunk whose worker is killed, what had ended was out before; the rest is printed by the next
// worker. What the killed element itself had printed then may be lost.
INSTANTIATE_TEST_SUITE_P(Ends, PoolPrint,
                         testing::Combine(testing::Values("lost", "throws"),
                                          testing::Values("printf", "unsynced")),
                         case_name);

class PoolPrintBy : public testing::TestWithParam<const char*> {};

TEST_P(PoolPrintBy, IsOutWhenTheResultsAre) {
  const Outcome outcome = run_program("print_program", {"map", "printf", GetParam()});
  ASSERT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_EQ(lines_of(outcome.out), all_lines());
}

TEST_P(PoolPrintBy, OfInitializers) {
  const Outcome outcome = run_program("print_program", {"initializer", "printf", GetParam()});
  ASSERT_EQ(outcome.exitcode, 0) << outcome.err;
  // By a worker that has had a task; the other one may have been ended before.
  EXPECT_EQ(lines_of(outcome.out).count("line " + outcome.err), 1U) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(Methods, PoolPrintBy, testing::Values("spawn", "fork", "forkserver"),
                         [](const auto& of) { return std::string(of.param); });

TEST(PoolPrintTimeout, OfAllElementsThatHadEndedAndWereInTime) {
  const Outcome outcome = run_program("print_program", {"timeout", "printf"});
  ASSERT_EQ(outcome.exitcode, 0) << outcome.err;
  std::multiset<std::string> expected = all_lines();
  expected.erase("line " + std::to_string(kOdd));
  std::multiset<std::string> seen = lines_of(outcome.out);
  seen.erase("line " + std::to_string(kOdd));
  EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace procession::pooltest
