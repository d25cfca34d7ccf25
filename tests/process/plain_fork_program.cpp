// Forks by itself beside what fills its heap, or /dev/shm, and needs all of that again. With
// PROCESSION_HEAP=64M.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <optional>

#include "procession/array.hpp"
#include "procession/init.hpp"
#include "procession/shared_memory.hpp"

namespace {

namespace mp = procession;

void fork_and_wait() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/true", "true", nullptr);
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
}

void run() {
  constexpr std::size_t kMega = std::size_t{1} << 20;
  for (int i = 0; i < 200; ++i) {
    const mp::Array<char> array(kMega);
    fork_and_wait();
  }
  std::puts("all rounds");
  {
    const mp::Array<char> array(40 * kMega);
    fork_and_wait();
  }
  const mp::Array<char> again(40 * kMega);
  std::puts("one that was last");
  std::optional<mp::SharedMemory> memory = mp::SharedMemory::create(64, "procession_plain_fork");
  fork_and_wait();
  memory->close();
  memory = mp::SharedMemory::create(64, "procession_plain_fork");
  std::puts("in /dev/shm");
}

}  // namespace

int main() {
  mp::init();
  try {
    run();
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  return 0;
}
