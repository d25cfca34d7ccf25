// Static objects that use the library before main(): threads work there; processes say what to do.

#include <string>

#include "process/program.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

process_test::Outcome run_static(const std::string& what) {
  return process_test::run_program("static_program", {}, {"STATIC=" + what});
}

using StaticProcess = testing::TestWithParam<const char*>;

TEST_P(StaticProcess, IsRefusedThereAndThen) {
  const process_test::Outcome outcome = run_static(GetParam());
  EXPECT_EQ(outcome.exitcode, 0) << outcome.out << outcome.err;
  EXPECT_EQ(outcome.out.rfind("NotInitialized: ", 0), 0U) << outcome.out;
  EXPECT_NE(outcome.out.find("procession::init();"), std::string::npos) << outcome.out;
  EXPECT_TRUE(outcome.out.ends_with("\n16\n")) << outcome.out << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(By, StaticProcess,
                         testing::Values("pool", "executor", "manager", "forkserver", "spawn",
                                         "fork"),
                         [](const auto& of) { return std::string(of.param); });

TEST(StaticThreads, Work) {
  const process_test::Outcome outcome = run_static("threads");
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "works\n9\n16\n") << outcome.err;
}

TEST(StaticQueue, IsSharedWithProcessesThatAreStartedLater) {
  const process_test::Outcome outcome = run_static("queue");
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "works\n6\n16\n") << outcome.err;
}

}  // namespace
}  // namespace procession::pooltest
