// The end of a program in the middle of a map: by Ctrl-C in a terminal, exit, exceptions, signals.
// Nothing is left, and no worker says anything.

#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>
#include <vector>

#include "process/proc_files.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

/// interrupt_program in the foreground of a terminal of its own.
class InTerminal {
 public:
  explicit InTerminal(const std::string& how) {
    const std::string path = std::string(PROCESSION_TEST_PROGRAMS_DIR) + "/interrupt_program";
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      ::signal(SIGINT, SIG_DFL);
      ::execl(path.c_str(), path.c_str(), how.c_str(), nullptr);
      ::_exit(127);
    }
  }
  InTerminal(const InTerminal&) = delete;
  InTerminal& operator=(const InTerminal&) = delete;
  ~InTerminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    ::close(terminal_);
  }

  [[nodiscard]] int pid() const { return pid_; }

  /// Waits until its workers are at work; their process ids.
  std::vector<int> workers() {
    std::istringstream words(line());
    std::string word;
    words >> word;
    EXPECT_EQ(word, "running");
    std::vector<int> pids;
    for (int pid = 0; words >> pid;) {
      pids.push_back(pid);
    }
    EXPECT_EQ(pids.size(), 3U);
    return pids;
  }

  /// As the key does it: the terminal sends SIGINT to all of its foreground.
  void press_ctrl_c() const { ASSERT_EQ(::write(terminal_, "\x03", 1), 1); }

  /// All that is said until nobody has the terminal open any more, but the echo of the key.
  std::string rest() {
    std::string all;
    for (char letter = 0; read_letter(letter);) {
      all += letter;
    }
    for (const std::string unwanted : {"^C", "\r"}) {
      for (auto at = all.find(unwanted); at != std::string::npos; at = all.find(unwanted)) {
        all.erase(at, unwanted.size());
      }
    }
    return all;
  }

  /// Its exit code, or -N when signal N ended it.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  bool read_letter(char& letter) const {
    ssize_t got = 0;
    while ((got = ::read(terminal_, &letter, 1)) < 0 && errno == EINTR) {
    }
    return got == 1;
  }
  std::string line() {
    std::string text;
    for (char letter = 0; read_letter(letter) && letter != '\n';) {
      text += letter;
    }
    return text;
  }

  int pid_ = 0;
  int terminal_ = -1;
};

/// Runs it until its workers are at work, does something to it, and waits for the end of them all.
template <class Act>
std::pair<int, std::string> run_until(const std::string& how, Act act) {
  InTerminal program(how);
  const std::vector<int> workers = program.workers();
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
