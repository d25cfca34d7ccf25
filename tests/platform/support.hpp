// What the tests of the platform share.
#pragma once

#include <sys/wait.h>

namespace procession::platform {

/// Waits for the end of `child`: its exit code, or its signal as a negative number.
inline int exit_code_of(pid_t child) {
  int status = 0;
  return ::waitpid(child, &status, 0) != child ? -1000
         : WIFSIGNALED(status)                 ? -WTERMSIG(status)
                                               : WEXITSTATUS(status);
}

}  // namespace procession::platform
