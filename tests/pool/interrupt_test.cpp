// The end of a program in the middle of a map: by Ctrl-C in a terminal, exit, exceptions, signals.
// Nothing is left, and no worker says anything.

#include <signal.h>

#include <string>
#include <utility>
#include <vector>

#include "support.hpp"
#include "terminal.hpp"

namespace procession::pooltest {
namespace {

/// Runs it until its workers are at work, does something to it, and waits for the end of them all.
template <class Act>
std::pair<int, std::string> run_until(const std::string& how, Act act) {
  InTerminal program("interrupt_program", how);
  const std::vector<int> workers = program.running();
  EXPECT_EQ(workers.size(), 3U);
  act(program);
  const std::string said = program.rest();
  const int exitcode = program.wait();
  for (const int worker : workers) {
    until([&] { return ended(worker); });
  }
  return {exitcode, said};
}

using Said = std::pair<int, std::string>;

TEST(Pains, Pain20_CtrlCInATerminalEndsAMapWithOneMessage) {
  EXPECT_EQ(run_until("catch", [](const InTerminal& program) { program.press_ctrl_c(); }),
            Said(130, "interrupted\n"));
}

TEST(Pains, Pain20_CtrlCOfAProgramThatDoesNotCareEndsItSilently) {
  EXPECT_EQ(run_until("default", [](const InTerminal& program) { program.press_ctrl_c(); }),
            Said(-SIGINT, ""));
}

TEST(PoolInterrupt, ExitInTheMiddleOfAMap) {
  EXPECT_EQ(run_until("exit", [](const InTerminal&) {}), Said(3, ""));
}

TEST(PoolInterrupt, AnExceptionThatPassesThePool) {
  EXPECT_EQ(run_until("unwind", [](const InTerminal&) {}), Said(4, "passed the pool\n"));
}

TEST(PoolInterrupt, SigtermOfTheProgram) {
  EXPECT_EQ(run_until("wait", [](const InTerminal& program) { ::kill(program.pid(), SIGTERM); }),
            Said(-SIGTERM, ""));
}

TEST(Pains, Pain07_SigkillOfTheProgram) {
  EXPECT_EQ(run_until("wait", [](const InTerminal& program) { ::kill(program.pid(), SIGKILL); }),
            Said(-SIGKILL, ""));
}

}  // namespace
}  // namespace procession::pooltest
