// The system calls with nothing around them, from a small process: `bare fork`, `bare spawn IMAGE`.

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "contestant.hpp"

extern "C" char** environ;

namespace {

void wait_for(pid_t child) {
  int status = 0;
  if (child <= 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    std::abort();
  }
}

void fork_and_wait(std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(0);
    }
    wait_for(child);
  }
}

contestant::Operation spawn_and_wait(char* image) {
  return [image](std::size_t times) {
    char role[] = "return";
    char* arguments[] = {image, role, nullptr};
    for (std::size_t i = 0; i < times; ++i) {
      pid_t child = 0;
      if (::posix_spawn(&child, image, nullptr, nullptr, arguments, environ) != 0) {
        std::abort();
      }
      wait_for(child);
    }
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: bare OPERATION [IMAGE]\n";
    return 2;
  }
  return contestant::serve(
      {{"fork", fork_and_wait}, {"spawn", spawn_and_wait(argc > 2 ? argv[2] : argv[0])}}, argv[1]);
}
