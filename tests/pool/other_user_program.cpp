// What a program does that begins as root and becomes another user: `other_user_program WHAT`.
// Prints what came of it. Its workers and children, which are root's, can then not be signalled.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>

#include "procession/procession.hpp"

namespace mp = procession;
using namespace std::chrono_literals;

namespace {

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int twice(int x) { return 2 * x; }
int hang(int /*x*/) {
  for (;;)
    std::this_thread::sleep_for(1s);
}

void become_nobody() {
  constexpr ::uid_t kNobody = 65534;
  if (::setuid(kNobody) != 0) std::exit(77);
}

void start(mp::StartMethod method) {
  mp::Process first({.start_method = method}, [] {});
  first.start();
  first.join();
  become_nobody();
  mp::Process process({.start_method = method}, [] { std::exit(::getuid() == 65534 ? 5 : 6); });
  process.start();
  process.join();
  say("process " + std::to_string(*process.exitcode()));
  mp::Pool pool({.processes = 2, .start_method = method});
  say("pool " + std::to_string(pool.map(twice, {1, 2, 3}).back()));
}

void run(const std::string& what) {
  if (what == "forkserver") return start(mp::StartMethod::forkserver);
  if (what == "spawn") return start(mp::StartMethod::spawn);
  if (what == "fork") return start(mp::StartMethod::fork);
  mp::Pool pool(2);
  pool.map(twice, {1, 2});
  mp::Process daemon({.daemon = true}, hang, 0);
  daemon.start();
  become_nobody();
  if (what == "kill") {
    daemon.kill();
    return;
  }
  if (what == "cancel") {
    const auto result = pool.apply_async(hang, 1);
    std::this_thread::sleep_for(100ms);
    say(result.cancel() ? "cancelled" : "not cancelled");
    result.get();
    return;
  }
  if (what == "stream") {
    for (const int y : pool.imap(hang, {1, 2}, {.timeout = 200ms}))
      say(std::to_string(y));
    return;
  }
  pool.map(hang, {1}, {.timeout = 200ms});
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc != 2) return 3;
  try {
    run(argv[1]);
  } catch (const mp::TimeoutError&) {
    say("out of time");
  } catch (const std::exception& error) {
    say(error.what());
  }
}
