// Programs that end with children: `end_program METHOD HOW`.
//
//   return, exit   in order, with 3
//   throw FILE     by an exception that nobody catches; the rest ends when FILE exists
//   killed FILE    prints "daemon, rest, server" (process ids), and waits to be killed; the rest
//   ends
//                  when FILE exists
//   stubborn FILE  with daemons that ignore SIGTERM; FILE tells when they do
//   nested         with a child that has children of its own

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include "process/proc_files.hpp"
#include "procession/init.hpp"
#include "procession/process.hpp"

namespace {

namespace mp = procession;
using process_test::gone;

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void run_for_ever() {
  for (;;) {
    ::pause();
  }
}

void end_after(int daemon) {
  wait_until([&] { return gone(daemon); });
  say("rest ended");
}

void end_when(const std::string& file) {
  wait_until([&] { return std::filesystem::exists(file); });
  say("rest ended");
}

void ignore_terminate(const std::string& ready) {
  ::signal(SIGTERM, SIG_IGN);
  std::fclose(std::fopen(ready.c_str(), "w"));
  run_for_ever();
}

void have_a_child(mp::StartMethod method) {
  static mp::Process inner({.start_method = method}, [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    say("inner ended");
  });
  inner.start();
}

mp::StartMethod method_of(const std::string& name) {
  for (const mp::StartMethod method : mp::get_all_start_methods()) {
    if (name == mp::to_string(method)) {
      return method;
    }
  }
  throw std::invalid_argument("no such method: " + name);
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc < 3) {
    return 2;
  }
  const mp::StartMethod method = method_of(argv[1]);
  const std::string how = argv[2];

  if (how == "nested") {
    static mp::Process outer({.start_method = method}, have_a_child, method);
    outer.start();
    return 0;
  }
  if (how == "stubborn") {
    const std::string ready = argv[3];
    mp::Process destroyed({.daemon = true, .start_method = method}, ignore_terminate, ready + "1");
    static auto& left =
        *new mp::Process({.daemon = true, .start_method = method}, ignore_terminate, ready + "2");
    destroyed.start();
    left.start();
    wait_until([&] {
      return std::filesystem::exists(ready + "1") && std::filesystem::exists(ready + "2");
    });
    say(std::to_string(destroyed.pid()));
    say(std::to_string(left.pid()));
    return 0;
  }

  int server = 0;
  if (method == mp::StartMethod::forkserver) {
    mp::Process first([] {});
    first.start();
    first.join();
    server = process_test::fork_server_pid();
  }
  // Never destroyed: they are the library's to end.
  static auto& daemon = *new mp::Process({.daemon = true, .start_method = method}, run_for_ever);
  daemon.start();
  static auto& rest =
      how == "killed" || how == "throw"
          ? *new mp::Process({.start_method = method}, end_when, std::string(argv[3]))
          : *new mp::Process({.start_method = method}, end_after, daemon.pid());
  rest.start();
  say(std::to_string(daemon.pid()));
  say(std::to_string(rest.pid()));
  say(std::to_string(server));
  if (how == "killed") {
    run_for_ever();
  }
  if (how == "throw") {
    throw std::runtime_error("nobody catches this");
  }
  if (how == "exit") {
    std::exit(3);
  }
  return 3;
}
