#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "process/proc_files.hpp"
#include "process/program.hpp"
#include "process/support.hpp"

// What becomes of the children when a program ends.
namespace process_test {
namespace {

using End = EachMethod;
PROCESSION_BY_PROCESS_METHODS(End);

struct Pids {
  int daemon = 0;
  int rest = 0;
  int server = 0;
};

Pids read_pids(Program& program) {
  Pids pids;
  pids.daemon = std::stoi("0" + program.line());
  pids.rest = std::stoi("0" + program.line());
  pids.server = std::stoi("0" + program.line());
  return pids;
}

TEST_P(End, InOrderTerminatesDaemonsFirstAndJoinsTheRest) {
  for (const std::string how : {"return", "exit"}) {
    Program program(beside_tests("end_program"), {mp::to_string(GetParam()), how});
    const Pids pids = read_pids(program);
    EXPECT_GT(pids.daemon, 0);
    EXPECT_EQ(program.wait(), 3) << program.errors();
    EXPECT_TRUE(gone(pids.daemon)) << "after " << how;
    EXPECT_TRUE(gone(pids.rest)) << "after " << how;
    EXPECT_TRUE(pids.server == 0 || gone(pids.server)) << "after " << how;
    EXPECT_EQ(program.rest(), "rest ended\n");
    EXPECT_EQ(program.errors(), "");
  }
}

TEST_P(End, WaitsForGrandchildren) {
  const Outcome outcome = run_program("end_program", {mp::to_string(GetParam()), "nested"});
  EXPECT_EQ(outcome.exitcode, 0);
  EXPECT_EQ(outcome.out, "inner ended\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_P(End, KillsDaemonsThatIgnoreTermination) {
  const Folder folder;
  Program program(beside_tests("end_program"),
                  {mp::to_string(GetParam()), "stubborn", folder.file("ready")});
  const int destroyed = std::stoi("0" + program.line());
  const int left = std::stoi("0" + program.line());
  EXPECT_GT(destroyed, 0);
  EXPECT_GT(left, 0);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(gone(destroyed));
  EXPECT_TRUE(gone(left));
}

void expect_daemons_end(StartMethod method, const char* how, bool kill) {
  const Folder folder;
  Program program(beside_tests("end_program"), {mp::to_string(method), how, folder.file("go")});
  const Pids pids = read_pids(program);
  ASSERT_GT(pids.daemon, 0);
  if (kill) {
    ASSERT_EQ(::kill(program.pid(), SIGKILL), 0);
  }
  program.wait();
  wait_until([&] { return gone(pids.daemon); });
  if (pids.server != 0) {
    wait_until([&] { return gone(pids.server); });
  }
  std::ofstream(folder.file("go")) << "now";
  EXPECT_EQ(program.rest(), "rest ended\n") << "who is no daemon lives on and finishes";
  wait_until([&] { return gone(pids.rest); });
}

TEST_P(End, ByKillTakesDaemonsAndTheServerAlongAndLeavesTheRest) {
  for (int i = 0; i < 3; ++i) {
    expect_daemons_end(GetParam(), "killed", true);
  }
}

TEST_P(End, ByAnUncaughtExceptionTakesDaemonsAlong) {
  expect_daemons_end(GetParam(), "throw", false);
}

TEST(NotInitialised, IsSaidWithTheLineToAdd) {
  const Outcome outcome = run_program("noinit_program");
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("forkserver: a process was to be started by 'forkserver'"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("spawn: a process was to be started by 'spawn'"), std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("    procession::init();"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("fork: 0\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("thread: 0\n"), std::string::npos) << outcome.out;
}

TEST(BootVariable, ForgedIsRefusedAtInit) {
  for (const std::string text : {"garbage", "child:", "child:12x", "server:", "child:4096",
                                 "server:4096", "child:99999999999999999999999"}) {
    const Outcome outcome =
        run_program("end_program", {"fork", "return"}, {"PROCESSION_BOOT=" + text});
    EXPECT_EQ(outcome.exitcode, -SIGABRT) << text << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find("procession::ProcessError"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("PROCESSION_BOOT"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("unset it"), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace process_test
