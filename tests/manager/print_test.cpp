// What methods have printed is out when their callers hear of their end, whatever becomes of the
// server.

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "process/program.hpp"

namespace manager_test {
namespace {

using process_test::Outcome;
using process_test::run_program;

using Case = std::tuple<const char*, const char*, const char*>;

class ManagerPrint : public testing::TestWithParam<Case> {};

TEST_P(ManagerPrint, IsOutWhenTheAnswerIsThere) {
  const std::string how = std::get<0>(GetParam());
  const std::string where = std::get<1>(GetParam());
  const Outcome outcome = run_program("print_program", {how, where, std::get<2>(GetParam())});
  ASSERT_EQ(outcome.exitcode, 0) << outcome.err;
  std::vector<std::string> expected;
  for (int i = 0; i < (how == "crowd" ? 16 : 1); ++i)
    expected.push_back("line " + std::to_string(i));
  std::vector<std::string> lines;
  std::istringstream in(where == "clog" ? outcome.err : outcome.out);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  std::sort(expected.begin(), expected.end());
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, expected);
}

std::string case_name(const testing::TestParamInfo<Case>& of) {
  return std::string(std::get<0>(of.param)) + "_" + std::get<1>(of.param) + "_" +
         std::get<2>(of.param);
}

INSTANTIATE_TEST_SUITE_P(Streams, ManagerPrint,
                         testing::Combine(testing::Values("returns"),
                                          testing::Values("printf", "cout", "unsynced", "clog",
                                                          "wcout"),
                                          testing::Values("forkserver")),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Calls, ManagerPrint,
                         testing::Combine(testing::Values("throws", "constructor", "crowd",
                                                          "remote"),
                                          testing::Values("printf"), testing::Values("forkserver")),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Methods, ManagerPrint,
                         testing::Combine(testing::Values("returns"), testing::Values("printf"),
                                          testing::Values("spawn", "fork")),
                         case_name);

}  // namespace
}  // namespace manager_test
