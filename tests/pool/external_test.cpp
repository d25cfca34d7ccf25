// Programs that tasks run (std::system and its kin) end with their workers, whatever ends those;
// beside a terminal and in its foreground.

#include <signal.h>

#include <sstream>
#include <string>
#include <vector>

#include "process/proc_files.hpp"
#include "process/program.hpp"
#include "support.hpp"
#include "terminal.hpp"

namespace procession::pooltest {
namespace {

constexpr const char* kProgram = "external_program";

std::vector<int> running(process_test::Program& program) {
  std::istringstream words(program.line());
  std::string word;
  words >> word;
  EXPECT_EQ(word, "running") << program.errors();
  std::vector<int> pids;
  for (int pid = 0; words >> pid;) {
    pids.push_back(pid);
  }
  EXPECT_EQ(pids.size(), 2U);
  return pids;
}

void until_ended(const std::vector<int>& pids) {
  for (const int pid : pids) {
    until([&] { return ended(pid); });
  }
}

using External = testing::TestWithParam<const char*>;

TEST_P(External, EndsWithItsWorker) {
  process_test::Program program(process_test::beside_tests(kProgram), {GetParam()});
  const std::vector<int> programs = running(program);
  EXPECT_EQ(program.line(), "ended");
  until_ended(programs);
  EXPECT_EQ(program.wait(), 0) << program.errors();
}

std::string name_of(const testing::TestParamInfo<const char*>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(By, External,
                         testing::Values("timeout", "cancel", "terminate", "memory", "killed"),
                         name_of);

using ExternalInTerminal = testing::TestWithParam<const char*>;

TEST_P(ExternalInTerminal, EndsWithItsWorker) {
  InTerminal program(kProgram, GetParam());
  const std::vector<int> programs = program.running();
  EXPECT_EQ(programs.size(), 2U);
  until_ended(programs);
  EXPECT_EQ(program.rest(), "ended\n");
  EXPECT_EQ(program.wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(By, ExternalInTerminal,
                         testing::Values("timeout", "cancel", "terminate", "memory"), name_of);

TEST(ExternalOfAProgram, EndsWithThatByAnySignal) {
  for (const int signal : {SIGKILL, SIGTERM, SIGINT}) {
    process_test::Program program(process_test::beside_tests(kProgram), {"wait"});
    const std::vector<int> programs = running(program);
    ::kill(program.pid(), signal);
    EXPECT_EQ(program.wait(), -signal) << program.errors();
    until_ended(programs);
  }
}

/// The owner does not live to see the end of its workers, nor they the end of their owner.
TEST(ExternalOfAProgram, EndsWithOwnerAndWorkersAtOnce) {
  for (const StartMethod method :
       {StartMethod::forkserver, StartMethod::spawn, StartMethod::fork}) {
    process_test::Program program(process_test::beside_tests(kProgram),
                                  {"wait", std::to_string(static_cast<int>(method))});
    const std::vector<int> programs = running(program);
    ::kill(program.pid(), SIGSTOP);
    until([&] { return state_of(program.pid()) == "T"; });
    for (const int pid : programs) {
      const int worker = process_test::stat_of(pid).parent;
      ::kill(worker, SIGKILL);
      until([&] { return ended(worker); });
      EXPECT_FALSE(ended(pid));
    }
    ::kill(program.pid(), SIGKILL);
    EXPECT_EQ(program.wait(), -SIGKILL) << program.errors();
    until_ended(programs);
  }
}

TEST(ExternalInATerminal, CtrlCInterruptsTheProgramsAndNotTheWorkers) {
  InTerminal program(kProgram, "drain");
  program.running();
  program.press_ctrl_c();
  EXPECT_EQ(program.rest(), "signal 2\nsignal 2\n");
  EXPECT_EQ(program.wait(), 0);
}

TEST(ExternalInATerminal, CtrlCEndsAll) {
  InTerminal program(kProgram, "wait");
  const std::vector<int> programs = program.running();
  program.press_ctrl_c();
  EXPECT_EQ(program.rest(), "");
  EXPECT_EQ(program.wait(), -SIGINT);
  until_ended(programs);
}

TEST(ExternalInATerminal, CtrlZStopsAll) {
  InTerminal program(kProgram, "wait", InTerminal::Parent::shell);
  const std::vector<int> programs = program.running();
  const int owner = process_test::stat_of(process_test::stat_of(programs.at(0)).parent).parent;
  program.press_ctrl_z();
  for (const int pid : programs) {
    until([&] { return state_of(pid) == "T"; });
    until([&] { return state_of(process_test::stat_of(pid).parent) == "T"; });
  }
  until([&] { return state_of(owner) == "T"; });
  ::kill(-owner, SIGCONT);
  for (const int pid : programs) {
    until([&] { return state_of(pid) == "S"; });
  }
  program.press_ctrl_c();
  until_ended(programs);
  EXPECT_EQ(program.wait(), 0);
}

}  // namespace
}  // namespace procession::pooltest
