// A program that ends while one of its threads waits in the library has the status that it says.

#include <string>
#include <tuple>

#include "process/program.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

using ExitBesideACall = testing::TestWithParam<std::tuple<const char*, const char*>>;

TEST_P(ExitBesideACall, HasItsStatus) {
  const auto& [call, how] = GetParam();
  const process_test::Outcome outcome = process_test::run_program("exit_program", {call, how});
  EXPECT_EQ(outcome.exitcode, 2) << outcome.out << outcome.err;
  EXPECT_EQ(outcome.err, "");
}

INSTANTIATE_TEST_SUITE_P(By, ExitBesideACall,
                         testing::Combine(testing::Values("map", "apply", "wait", "imap",
                                                          "executor", "as_completed", "manager",
                                                          "join", "queue", "pipe", "submit_again"),
                                          testing::Values("exit", "return", "static")),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param)) + "_" + std::get<1>(of.param);
                         });

}  // namespace
}  // namespace procession::pooltest
