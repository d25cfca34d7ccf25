// Programs that a child runs (std::system and its kin) end when this process ends the child.

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "process/proc_files.hpp"
#include "process/program.hpp"
#include "process/support.hpp"

namespace process_test {
namespace {

/// `before` is a word of the shell's, "" or "setsid".
void run_sleeper(const std::string& file, const std::string& before) {
  const std::string line = "echo $$ > " + file + ".new; mv " + file + ".new " + file;
  static_cast<void>(!std::system((before + " sh -c '" + line + "; exec sleep 1000'").c_str()));
}

int pid_in(const std::string& file) {
  int pid = 0;
  wait_until([&] { return static_cast<bool>(std::ifstream(file) >> pid) && pid != 0; });
  return pid;
}

void run_aside(const std::string& file) {
  const std::string line = "(echo $BASHPID; exec sleep 1000) > " + file + " &";
  static_cast<void>(!std::system(("bash -c '" + line + "'").c_str()));
  pid_in(file);
}

using External = EachMethod;
PROCESSION_BY_PROCESS_METHODS(External);

TEST_P(External, EndsWhenItsProcessIsKilledOrTerminated) {
  for (const bool daemon : {false, true}) {
    for (const bool kill : {false, true}) {
      const Folder folder;
      mp::Process process({.daemon = daemon, .start_method = GetParam()}, run_sleeper,
                          folder.file("pid"), "");
      process.start();
      const int program = pid_in(folder.file("pid"));
      kill ? process.kill() : process.terminate();
      process.join();
      EXPECT_EQ(process.exitcode(), kill ? -SIGKILL : -SIGTERM);
      wait_until([&] { return gone(program); });
    }
  }
}

TEST_P(External, EndsWithADaemonThatSomebodyElseKills) {
  const Folder folder;
  mp::Process process({.daemon = true, .start_method = GetParam()}, run_sleeper, folder.file("pid"),
                      "");
  process.start();
  const int program = pid_in(folder.file("pid"));
  ::kill(process.pid(), SIGKILL);
  process.join();
  wait_until([&] { return gone(program); });
}

TEST_P(External, EndsWithADaemonAlsoInTheBackground) {
  const Folder folder;
  mp::Process process({.daemon = true, .start_method = GetParam()}, run_aside, folder.file("pid"));
  process.start();
  process.join();
  const int program = pid_in(folder.file("pid"));
  wait_until([&] { return gone(program); });
}

TEST_P(External, StaysWhereItMeansTo) {
  for (const bool daemon : {false, true}) {
    for (const bool kill : {false, true}) {
      const Folder folder;
      mp::Process process({.daemon = daemon, .start_method = GetParam()}, run_sleeper,
                          folder.file("pid"), "setsid");
      process.start();
      const int program = pid_in(folder.file("pid"));
      kill ? process.kill() : process.terminate();
      process.join();
      EXPECT_FALSE(gone(program));
      ::kill(program, SIGKILL);
    }
  }
}

TEST_P(External, IsInterruptedWithItsProcess) {
  for (const bool daemon : {false, true}) {
    const Folder folder;
    mp::Process process({.daemon = daemon, .start_method = GetParam()}, run_sleeper,
                        folder.file("pid"), "");
    process.start();
    const int program = pid_in(folder.file("pid"));
    process.interrupt();
    wait_until([&] { return gone(program); });
    process.join();
  }
}

TEST_P(External, StaysWithoutADaemonThatEndsInOrder) {
  const Folder folder;
  mp::Process process = started(GetParam(), run_aside, folder.file("pid"));
  process.join();
  const int program = pid_in(folder.file("pid"));
  EXPECT_FALSE(gone(program));
  ::kill(program, SIGKILL);
}

}  // namespace
}  // namespace process_test
