// Runs an example as a user would, and keeps what it printed.

#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace examples {

struct Outcome {
  int exit_code = -1;  // -N when signal N ended it
  std::string out;
  std::string err;

  /// The lines of `out`, without their ends.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> found;
    for (std::size_t from = 0; from < out.size();) {
      const std::size_t end = std::min(out.find('\n', from), out.size());
      found.push_back(out.substr(from, end - from));
      from = end + 1;
    }
    return found;
  }
};

/// Where the build put the example.
inline std::string path_of(const std::string& program) {
  return (std::filesystem::path(PROCESSION_EXAMPLES_DIR) / program).string();
}

/// Runs it until it has ended and until nobody else, such as a child it forgot, holds its output
/// open.
inline Outcome run(const std::string& program, const std::vector<std::string>& arguments = {}) {
  Outcome outcome;
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return outcome;
  const std::string path = path_of(program);
  std::vector<char*> words{const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);

  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execv(path.c_str(), words.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  pollfd streams[] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  std::string* texts[] = {&outcome.out, &outcome.err};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    if (poll(streams, 2, -1) < 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (streams[i].fd < 0 || streams[i].revents == 0) continue;
      char piece[4096];
      const ssize_t got = read(streams[i].fd, piece, sizeof piece);
      if (got > 0) {
        texts[i]->append(piece, static_cast<std::size_t>(got));
      } else {
        streams[i].fd = -1;
      }
    }
  }
  close(out[0]);
  close(err[0]);
  int status = 0;
  if (waitpid(child, &status, 0) == child) {
    outcome.exit_code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  return outcome;
}

}  // namespace examples
