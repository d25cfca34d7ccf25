// A pool where there is no room for workers: `scarce_program WHAT`, with a line for a task that was
// refused meanwhile and one for a task afterwards.
//
//   processes   RLIMIT_NPROC (not for root: becomes another user first)
//   memory      the shared heap is full (see PROCESSION_HEAP)

#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "process/proc_files.hpp"
#include "procession/procession.hpp"

namespace mp = procession;

namespace {

int square(int x) { return x * x; }

void kill_all(const mp::Pool& pool) {
  const std::vector<int> pids = pool.pids();
  for (const int pid : pids) {
    ::kill(pid, SIGKILL);
  }
  for (const int pid : pids) {
    while (!process_test::gone(pid)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

bool is_refused(mp::Pool& pool) {
  try {
    std::printf("there was a worker: %d\n", pool.apply(square, 3));
    return false;
  } catch (const std::exception& error) {  // OutOfMemory is a std::bad_alloc
    std::printf("refused: %s\n", error.what());
    return true;
  }
}

void without_processes() {
  if (::getuid() == 0 &&
      // A user of its own: the limit counts all processes of a user, other tests' too.
      (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 ||
       ::setuid(static_cast<uid_t>(100'000 + ::getpid())) != 0)) {
    std::printf("skip: cannot become another user: %s\n", std::strerror(errno));
    return;
  }
  std::filesystem::current_path("/");
  mp::Pool pool(2);
  rlimit before{};
  ::getrlimit(RLIMIT_NPROC, &before);
  const rlimit none{1, before.rlim_max};
  ::setrlimit(RLIMIT_NPROC, &none);
  kill_all(pool);
  is_refused(pool);
  is_refused(pool);
  ::setrlimit(RLIMIT_NPROC, &before);
  std::printf("after: %d\n", pool.apply(square, 3));
}

void without_memory() {
  mp::Pool pool(2);
  std::vector<mp::Semaphore> all;
  std::atomic<bool> enough = false;
  // What a worker had is free as it ends: this takes it before the next worker does, some time.
  std::thread filler([&] {
    while (!enough) {
      try {
        all.emplace_back(0);
      } catch (const mp::OutOfMemory&) {
        std::this_thread::yield();
      }
    }
  });
  // As long as a worker begins in what another one had, it may do so again.
  do {
    kill_all(pool);
  } while (!is_refused(pool));
  is_refused(pool);
  enough = true;
  filler.join();
  all.clear();
  std::printf("after: %d\n", pool.apply(square, 3));
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc > 1 && std::string(argv[1]) == "processes") {
    without_processes();
  } else {
    without_memory();
  }
}
