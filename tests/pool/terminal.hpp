#pragma once

#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>
#include <vector>

namespace procession::pooltest {

/// A program of this folder in the foreground of a terminal of its own.
class InTerminal {
 public:
  /// A program whose parent is in another session is never stopped by a key; a shell's is.
  enum class Parent { test, shell };

  InTerminal(const std::string& name, const std::string& how, Parent parent = Parent::test) {
    const std::string path = std::string(PROCESSION_TEST_PROGRAMS_DIR) + "/" + name;
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      ::signal(SIGINT, SIG_DFL);
      if (parent == Parent::shell) {
        be_shell();
      }
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

  /// Waits until it says that it runs; the process ids that it names.
  std::vector<int> running() {
    std::istringstream words(line());
    std::string word;
    words >> word;
    EXPECT_EQ(word, "running");
    std::vector<int> pids;
    for (int pid = 0; words >> pid;) {
      pids.push_back(pid);
    }
    return pids;
  }

  /// As the keys do it: the terminal sends SIGINT or SIGTSTP to all of its foreground.
  void press_ctrl_c() const { ASSERT_EQ(::write(terminal_, "\x03", 1), 1); }
  void press_ctrl_z() const { ASSERT_EQ(::write(terminal_, "\x1a", 1), 1); }

  /// All that is said until nobody has the terminal open any more, but the echo of the key.
  std::string rest() {
    std::string all;
    for (char letter = 0; read_letter(letter);) {
      all += letter;
    }
    for (const std::string unwanted : {"^C", "^Z", "\r"}) {
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
  /// Returns in a child, which is a job in the foreground.
  static void be_shell() {
    ::signal(SIGTTOU, SIG_IGN);
    const int job = ::fork();
    const int group = job == 0 ? ::getpid() : job;
    ::setpgid(group, group);
    ::tcsetpgrp(0, group);
    if (job != 0) {
      ::waitpid(job, nullptr, 0);
      ::_exit(0);
    }
    ::signal(SIGTTOU, SIG_DFL);
  }

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

}  // namespace procession::pooltest
