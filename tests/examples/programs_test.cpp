// Each example is run as a program of its own and must print what it promises. Times are only ever
// checked from below; that things happen side by side is read from the intervals that the programs
// print.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "run_program.hpp"

namespace {

using examples::Outcome;
using Lines = std::vector<std::string>;

/// Runs an example that must end well and complain of nothing.
Outcome run_well(const std::string& program) {
  Outcome outcome = examples::run(program);
  EXPECT_EQ(outcome.exit_code, 0) << program;
  EXPECT_EQ(outcome.err, "") << program;
  return outcome;
}

/// The groups of a line that must match the pattern.
Lines groups(const std::string& line, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_match(line, match, std::regex(pattern))) {
    ADD_FAILURE() << "\"" << line << "\" is not like \"" << pattern << "\"";
    return Lines(10);
  }
  return {match.begin() + 1, match.end()};
}

Lines sorted(Lines lines) {
  std::ranges::sort(lines);
  return lines;
}

TEST(Examples, P01TheChildsLineComesFirst) {
  EXPECT_EQ(run_well("p01_process").lines(),
            (Lines{"hello from the child", "the child has ended"}));
}

TEST(Examples, P02FiveProcessesDoubleFiveNumbers) {
  std::set<std::string> results, pids;
  const Lines lines = run_well("p02_doubler").lines();
  for (const std::string& line : lines) {
    const Lines found = groups(line, "(\\d+ doubled to \\d+) by process (\\d+)");
    results.insert(found[0]);
    pids.insert(found[1]);
  }
  EXPECT_EQ(lines.size(), 5U);
  EXPECT_EQ(results,
            (std::set<std::string>{"5 doubled to 10", "10 doubled to 20", "15 doubled to 30",
                                   "20 doubled to 40", "25 doubled to 50"}));
  EXPECT_EQ(pids.size(), 5U);
}

TEST(Examples, P03ProcessesAreNumberedAndMayBeNamed) {
  EXPECT_EQ(sorted(run_well("p03_names").lines()),
            (Lines{"10 doubled to 20 by Process-2", "15 doubled to 30 by Process-3",
                   "2 doubled to 4 by Test", "20 doubled to 40 by Process-4",
                   "25 doubled to 50 by Process-5", "5 doubled to 10 by Process-1"}));
}

TEST(Examples, P04JobsRunInOtherProcessesThanTheParent) {
  Lines lines = run_well("p04_jobs").lines();
  ASSERT_EQ(lines.size(), 5U);
  std::set<std::string> pids{groups(lines.front(), "the parent is process (\\d+)")[0]};
  EXPECT_EQ(lines.back(), "all jobs have ended");
  std::set<std::string> names;
  for (std::size_t i = 1; i <= 3; ++i) {
    const Lines found = groups(lines[i], "(Job-\\d) runs in process (\\d+)");
    names.insert(found[0]);
    pids.insert(found[1]);
  }
  EXPECT_EQ(names, (std::set<std::string>{"Job-0", "Job-1", "Job-2"}));
  EXPECT_EQ(pids.size(), 4U);
}

TEST(Examples, P05APoolWorksSideBySide) {
  const Lines lines = run_well("p05_pool_map").lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "1 4 9 16 25 ");
  const Lines found = groups(lines[1], "(\\d+) at a time, ([0-9.]+) s");
  EXPECT_GE(std::stoi(found[0]), 2);
  EXPECT_LE(std::stoi(found[0]), 3);
  EXPECT_GE(std::stod(found[1]), 2.0);  // five seconds of work for three workers
}

TEST(Examples, P06TheParentWorksMeanwhile) {
  EXPECT_EQ(run_well("p06_map_async").lines(), (Lines{"the parent works meanwhile", "1 8 27 "}));
}

TEST(Examples, P07ErrorsAreValuesOrExceptions) {
  const Lines lines = run_well("p07_safe_divide").lines();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "10");
  EXPECT_EQ(lines[1], "error: 100 divided by zero");
  EXPECT_EQ(lines[2], "20");
  EXPECT_TRUE(lines[3].starts_with("std::domain_error: ")) << lines[3];
  EXPECT_NE(lines[3].find("100 divided by zero"), std::string::npos) << lines[3];
}

TEST(Examples, P11ThreeSleepAtTheSameTime) {
  const Lines lines = run_well("p11_sleepers").lines();
  ASSERT_EQ(lines.size(), 4U);
  double last_from = 0, first_to = 1e9;
  for (std::size_t i = 0; i < 3; ++i) {
    const Lines found = groups(lines[i], "process \\d slept from ([0-9.e+-]+) to ([0-9.e+-]+)");
    last_from = std::max(last_from, std::stod(found[0]));
    first_to = std::min(first_to, std::stod(found[1]));
  }
  EXPECT_LT(last_from, first_to);  // there was a moment when all three slept
  EXPECT_GE(std::stod(groups(lines[3], "all done after ([0-9.]+) s")[0]), 1.0);
}

TEST(Examples, P12DaemonsEndWithTheProgram) {
  const Lines lines = run_well("p12_daemons").lines();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines.back(), "the parent ends");
  for (std::size_t i = 0; i < 3; ++i) {
    const int pid = std::stoi(groups(lines[i], "daemon (\\d+)")[0]);
    ASSERT_GT(pid, 0);
    EXPECT_EQ(kill(pid, 0), -1) << "daemon " << pid << " is still there";
    EXPECT_EQ(errno, ESRCH);
  }
}

TEST(Examples, P13JoinWaits) {
  const Lines lines = run_well("p13_slow_join").lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "the slow process is done");
  EXPECT_GE(std::stod(groups(lines[1], "joined after ([0-9.]+) s")[0]), 1.0);
}

TEST(Examples, P14ATerminatedProcessTellsTheSignal) {
  EXPECT_EQ(run_well("p14_terminate").lines(),
            (Lines{"alive: true", "alive: false", "exit code: -15"}));
}

TEST(Examples, P16TwoFunctionsInTwoProcesses) {
  const Lines lines = run_well("p16_square_cube").lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(sorted({lines[0], lines[1]}), (Lines{"cube: 125", "square: 25"}));
  EXPECT_EQ(lines[2], "done");
}

TEST(Examples, P20EachStartMethodKnowsItsParent) {
  const Lines lines = run_well("p20_start_methods").lines();
  ASSERT_EQ(lines.size(), 5U);
  const std::string parent = groups(lines[0], "MainProcess is (\\d+)")[0];
  std::set<std::string> pids{parent};
  const Lines methods{"forkserver", "spawn", "fork", "thread"};
  for (std::size_t i = 0; i < 4; ++i) {
    const Lines found = groups(
        lines[i + 1], "(\\w+): hello bob from (\\S+) \\((\\d+)\\), child of (\\S+) \\((\\d+)\\)");
    EXPECT_EQ(found[0], methods[i]);
    EXPECT_EQ(found[1], "Process-" + std::to_string(i + 1));
    EXPECT_EQ(found[3], "MainProcess");
    EXPECT_EQ(found[4], parent);
    pids.insert(found[2]);
  }
  EXPECT_EQ(pids.size(), 4U);  // the parent, which is the thread's too, and three processes
}

}  // namespace
