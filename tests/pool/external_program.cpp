// Tasks that run other programs, which are to end with their workers:
// `external_program HOW [START_METHOD]`.
//
//   timeout, cancel, terminate, memory   are what ends the tasks
//   killed      a worker is killed by somebody else
//   wait        waits to be ended
//   drain       does nothing about SIGINT, and waits for the results
//
// Prints "running" and the process ids of the programs once they run, and "ended" once all of them
// have ended that should.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "process/proc_files.hpp"
#include "procession/procession.hpp"

namespace mp = procession;
using namespace std::chrono_literals;

namespace {

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

/// The program writes its process id, and sleeps. `&`: it is told to go to the background.
int run_program(const std::string& folder, int number) {
  const std::string file = folder + "/" + std::to_string(number);
  const std::string line = "echo $$ > " + file + ".new; mv " + file + ".new " + file;
  return std::system((line + "; exec sleep 1000").c_str());
}

void run_and_grow(const std::string& folder, int number) {
  std::thread program([&] { run_program(folder, number); });
  std::vector<std::vector<char>> all;
  for (;;) {
    all.emplace_back(1 << 20, 'x');
    std::this_thread::sleep_for(20ms);
  }
}

std::vector<int> programs_in(const std::string& folder) {
  std::vector<int> pids;
  for (const int number : {0, 1}) {
    for (int pid = 0; pid == 0;) {
      std::ifstream(folder + "/" + std::to_string(number)) >> pid;
      std::this_thread::sleep_for(1ms);
    }
    std::ifstream(folder + "/" + std::to_string(number)) >> pids.emplace_back();
  }
  return pids;
}

void until_gone(const std::vector<int>& pids) {
  for (const int pid : pids) {
    while (!process_test::gone(pid)) {
      std::this_thread::sleep_for(1ms);
    }
  }
  say("ended");
}

void run(const std::string& how, const std::string& folder, int method) {
  mp::PoolOptions options{.processes = 2, .start_method = static_cast<mp::StartMethod>(method)};
  if (how == "memory") options.max_memory_per_child = 64U << 20U;
  mp::Pool pool(options);
  mp::MapOptions each{.chunksize = 1};
  if (how == "timeout") each.timeout = 2s;
  if (how == "memory") {
    const auto map = pool.map_async(mp::bind(run_and_grow, folder), {0, 1}, each);
    const std::vector<int> programs = programs_in(folder);
    say("running " + std::to_string(programs[0]) + " " + std::to_string(programs[1]));
    map.wait();
    until_gone(programs);
    return;
  }
  const auto map = pool.map_async(mp::bind(run_program, folder), {0, 1}, each);
  const std::vector<int> programs = programs_in(folder);
  say("running " + std::to_string(programs[0]) + " " + std::to_string(programs[1]));
  if (how == "wait") {
    map.wait();
  } else if (how == "drain") {
    for (const int status : map.get()) {
      say(WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) : "another end");
    }
  } else if (how == "timeout") {
    map.wait();
    until_gone(programs);
  } else if (how == "cancel") {
    map.cancel();
    until_gone(programs);
  } else if (how == "terminate") {
    pool.terminate();
    until_gone(programs);
  } else if (how == "killed") {
    for (const int pid : pool.pids()) {
      ::kill(pid, SIGKILL);
    }
    until_gone(programs);
  }
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc < 2) return 2;
  const std::string how = argv[1];
  if (how == "drain") ::signal(SIGINT, [](int) {});
  char folder[] = "/tmp/procession-test-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return 3;
  const auto method = static_cast<int>(mp::get_start_method());
  run(how, folder, argc == 3 ? std::atoi(argv[2]) : method);
  std::filesystem::remove_all(folder);
  return 0;
}
