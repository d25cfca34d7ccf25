// A program in the middle of a map that ends in one of several ways: `interrupt_program HOW`.
//
//   catch      has a handler for SIGINT that ends the pool, and says so in one line
//   default    has none
//   exit       calls std::exit in the middle of the map
//   unwind     is left by an exception that passes the pool, and says so in one line
//   wait       waits to be ended
//
// Prints the process ids of its workers and "running" once they are all at work.

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "procession/procession.hpp"

namespace mp = procession;

namespace {

volatile std::sig_atomic_t interrupted = 0;

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void work(const mp::Semaphore& began, int /*number*/) {
  began.release();
  std::this_thread::sleep_for(std::chrono::hours(1));
}

void run(const std::string& how) {
  mp::Pool pool(3);
  const mp::Semaphore began(0);
  const auto map = pool.map_async(mp::bind(work, began), {1, 2, 3, 4, 5, 6}, {.chunksize = 1});
  for (int i = 0; i < 3; ++i)
    began.acquire();
  std::string line = "running";
  const std::vector<int> pids = pool.pids();
  for (const int pid : pids)
    line += " " + std::to_string(pid);
  say(line);
  if (how == "exit") std::exit(3);
  if (how == "unwind") throw std::runtime_error("passed the pool");
  while (!map.wait(std::chrono::milliseconds(5))) {
    if (interrupted != 0) {
      // It is for this process to say what becomes of the workers, who heard of it too.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (pool.pids() != pids) say("workers have ended by themselves");
      pool.terminate();
      break;
    }
  }
  map.get();
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc != 2) return 2;
  const std::string how = argv[1];
  if (how == "catch") ::signal(SIGINT, [](int) { interrupted = 1; });
  try {
    run(how);
  } catch (const mp::Cancelled&) {
    say("interrupted");
    return 130;
  } catch (const std::exception& error) {
    say(error.what());
    return 4;
  }
  return 0;
}
