#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// Programs that the tests run, and what they print.
namespace process_test {

inline std::string beside_tests(const std::string& name) {
  return (std::filesystem::path(PROCESSION_TEST_PROGRAMS_DIR) / name).string();
}

inline std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A folder of its own, open to every user, removed at the end with all that is in it.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/procession-test-XXXXXX";
    path_ = ::mkdtemp(name);
    ::chmod(path_.c_str(), 0777);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Puts standard error aside for a scope, for this process and those it starts.
class CapturedStderr {
 public:
  CapturedStderr() : path_(folder_.file("stderr")), before_(::fcntl(2, F_DUPFD_CLOEXEC, 3)) {
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    ::dup2(file, 2);
    ::close(file);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  ~CapturedStderr() {
    ::dup2(before_, 2);
    ::close(before_);
  }
  [[nodiscard]] std::string text() const { return text_of_file(path_); }

 private:
  Folder folder_;
  std::string path_;
  int before_;
};

/// A program that runs beside the test; its output can be read line by line. Killed at the end of
/// the scope if it has not been waited for.
class Program {
 public:
  using Words = std::vector<std::string>;

  /// `environment` holds "NAME=value" to add.
  explicit Program(const std::string& path, const Words& arguments = {},
                   const Words& environment = {}) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      std::abort();
    }
    std::vector<char*> words{const_cast<char*>(path.c_str())};
    for (const std::string& word : arguments) {
      words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      for (const std::string& entry : environment) {
        ::putenv(const_cast<char*>(entry.c_str()));
      }
      const std::string errors = errors_.file("stderr");
      ::signal(SIGINT, SIG_DFL);
      ::dup2(::open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666), 2);
      ::dup2(ends[1], 1);
      ::execv(path.c_str(), words.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    ::close(output_);
  }

  [[nodiscard]] int pid() const { return pid_; }

  /// The next line of its output, without its end; "" at the end of it all.
  std::string line() {
    std::string text;
    char letter = 0;
    while (read_letter(letter) && letter != '\n') {
      text += letter;
    }
    return text;
  }
  /// All that is left, until nobody holds the output open: the program and all it started.
  std::string rest() {
    std::string text;
    char letter = 0;
    while (read_letter(letter)) {
      text += letter;
    }
    return text;
  }
  [[nodiscard]] std::string errors() const { return text_of_file(errors_.file("stderr")); }

  /// Its exit code, or -N when signal N ended it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) != pid_) {
      if (errno != EINTR) {
        return -1000;
      }
    }
    pid_ = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  bool read_letter(char& letter) const {
    for (;;) {
      const ssize_t got = ::read(output_, &letter, 1);
      if (got >= 0 || errno != EINTR) {
        return got == 1;
      }
    }
  }

  Folder errors_;
  int pid_ = 0;
  int output_ = -1;
};

struct Outcome {
  int exitcode = -1;
  std::string out;
  std::string err;
};

/// Runs one of this folder's programs to its end, and to that of all it started.
inline Outcome run_program(const std::string& name, const Program::Words& arguments = {},
                           const Program::Words& environment = {}) {
  Program program(beside_tests(name), arguments, environment);
  Outcome outcome;
  outcome.out = program.rest();
  outcome.exitcode = program.wait();
  outcome.err = program.errors();
  return outcome;
}

}  // namespace process_test
