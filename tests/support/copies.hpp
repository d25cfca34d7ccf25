#pragma once

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// Code that the library calls, and that comes back in a copy of the process too.
namespace copies {

/// The exit status of a copy that came out (platform/copy_check.hpp).
inline constexpr int kCopyExit = 70;

enum class How {
  by_fork,
  by_clone,  ///< of which no handler of forks hears
};

/// Makes a copy. Returns 0 in it, and here its exit status once it has ended.
inline int copy_process(How how) {
  const auto pid = static_cast<pid_t>(
      how == How::by_fork ? ::fork()
                          : ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (pid == 0) {
    return 0;
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace copies
