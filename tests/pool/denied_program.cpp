// What processes and pools do where a sandbox forbids system calls: `denied_program CALL CODE`.
// Prints what works, or the text of a refusal, and ends with status 0 in any case.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "process/denial.hpp"
#include "procession/procession.hpp"

namespace mp = procession;
using namespace std::chrono_literals;

namespace {

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int square(int x) { return x * x; }
void wait_for_ever() { std::this_thread::sleep_for(std::chrono::hours(1)); }

void attempt(const std::string& what, void (*run)()) {
  try {
    run();
    say(what + ": works");
  } catch (const std::exception& error) {
    say(what + ": " + error.what());
  }
}

void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

void try_processes() {
  for (const mp::StartMethod method :
       {mp::StartMethod::forkserver, mp::StartMethod::spawn, mp::StartMethod::fork}) {
    mp::Process process({.start_method = method}, wait_for_ever);
    process.start();
    require(!process.join(10ms), "it ended");
    require(process.is_alive(), "it does not live");
    require(mp::active_children().size() == 1, "it is not active");
    require(mp::wait({process.sentinel()}, 10ms).empty(), "its sentinel is ready");
    process.terminate();
    require(mp::wait({process.sentinel()}).size() == 1, "its sentinel is not ready");
    require(process.join(), "it was not joined");
    require(process.exitcode() == -SIGTERM, "its exit code");
    mp::Process other({.start_method = method}, [] { std::exit(7); });
    other.start();
    other.join();
    require(other.exitcode() == 7, "the other exit code");
    mp::Process daemon({.daemon = true, .start_method = method}, wait_for_ever);
    daemon.start();
  }
}

void try_pool() {
  mp::Pool pool(2);
  require(pool.map(square, {1, 2, 3}) == std::vector{1, 4, 9}, "results");
  for (int i = 0; i < 3; ++i) {
    try {
      pool.apply([] { ::raise(SIGKILL); });
      require(false, "nothing was lost");
    } catch (const mp::WorkerLost&) {
    }
  }
  require(pool.map(square, {1, 2, 3}) == std::vector{1, 4, 9}, "results");
  pool.close();
  pool.join();
}

void try_handles() {
  mp::Queue<int> queue;
  mp::Process process([](const mp::Queue<int>& to) { to.put(5); }, queue);
  process.start();
  require(queue.get() == 5, "the item");
  process.join();
  mp::Manager manager;
  auto dict = manager.dict<std::string, int>();
  dict.set("one", 1);
  require(dict.get("one") == 1, "the entry");
}

}  // namespace

int main(int argc, char** argv) {
  // Processes of the library's have other arguments, and the filters of their parent.
  const bool root = argc == 3 && std::getenv("PROCESSION_BOOT") == nullptr;
  const std::string call = root ? argv[1] : "nothing";
  const int code = root ? std::atoi(argv[2]) : 0;
  const auto is = [&](const char* name) { return call == name; };
  const bool done =
      is("pidfd_open")          ? process_test::deny({{SYS_pidfd_open, code}})
      : is("pidfd_send_signal") ? process_test::deny({{SYS_pidfd_send_signal, code}})
      : is("pidfd") ? process_test::deny({{SYS_pidfd_open, code}, {SYS_pidfd_send_signal, code}})
      : is("memfd_create") ? process_test::deny({{SYS_memfd_create, code}})
      : is("clone3")       ? process_test::deny({{SYS_clone3, code}})
      : is("setsig")       ? process_test::deny({{SYS_fcntl, code, F_SETSIG}})
      : is("prctl")        ? process_test::deny({{SYS_prctl, code}})
      : is("affinity")     ? process_test::deny({{SYS_sched_getaffinity, code}})
      : is("setpgid")      ? process_test::deny({{SYS_setpgid, code}})
      : is("statx")        ? process_test::deny({{SYS_statx, code}})
      : is("waitid")       ? process_test::deny({{SYS_waitid, code}})
      : is("dup2")         ? process_test::deny({{SYS_dup2, code}})
      : is("robust")       ? process_test::deny({{SYS_get_robust_list, code}})
                           : is("nothing");
  if (!done) {
    say("skip");
    return 0;
  }
  mp::init();
  attempt("processes", try_processes);
  attempt("pool", try_pool);
  attempt("handles", try_handles);
  return 0;
}
