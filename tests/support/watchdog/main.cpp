// Runs one test and never lets it hang or leave anything behind.
//
//   procession_watchdog [--timeout SECONDS] [--slow FACTOR] [--grace SECONDS] [--no-aslr] PROGRAM
//   ARGS...
//
// PROGRAM runs in a session of its own. When its time is over, the stacks of every thread of every
// process below the watchdog are printed, all of them are killed, and the test fails. A test that
// ends but leaves processes running fails as well, after a grace, and names them.
//
// A test has 60 seconds; with "Long" in its name, five times as many. PROCESSION_TEST_TIMEOUT sets
// another number of seconds, and 0 waits for ever (to attach a debugger).

#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "support/watchdog/process_scan.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMostStacks = 12;
constexpr int kTimedOut = 124;

struct Settings {
  long timeout = 60;  // seconds, 0: for ever
  long slow = 1;      // factor on the above, for sanitizers
  long grace = 2;     // seconds between the end of the test and of its processes
  bool no_aslr = false;
  char** command = nullptr;
};

Settings parse(char** argv) {
  Settings settings;
  char** arg = argv + 1;
  const auto number = [&] { return arg[1] != nullptr ? std::atol(*++arg) : 0; };
  for (; *arg != nullptr && **arg == '-'; ++arg) {
    const std::string_view name = *arg;
    if (name == "--timeout") {
      settings.timeout = number();
    } else if (name == "--slow") {
      settings.slow = number();
    } else if (name == "--grace") {
      settings.grace = number();
    } else if (name == "--no-aslr") {
      settings.no_aslr = true;
    } else {
      std::fprintf(stderr, "watchdog: unknown option %s\n", *arg);
      std::exit(2);
    }
  }
  settings.command = arg;
  return settings;
}

bool has_argument(char** command, std::string_view start, std::string_view text) {
  for (; *command != nullptr; ++command) {
    const std::string_view argument = *command;
    if (argument.starts_with(start) && argument.find(text) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::optional<Clock::duration> time_for(const Settings& settings) {
  long seconds = settings.timeout * settings.slow;
  if (has_argument(settings.command, "--gtest_filter=", "Long")) {
    seconds *= 5;
  }
  if (const char* given = std::getenv("PROCESSION_TEST_TIMEOUT")) {
    seconds = std::atol(given);
  }
  return seconds == 0 ? std::nullopt
                      : std::optional<Clock::duration>(std::chrono::seconds(seconds));
}

[[noreturn]] void run(const Settings& settings) {
  if (settings.no_aslr) {
    ::personality(ADDR_NO_RANDOMIZE);
  }
  ::execvp(settings.command[0], settings.command);
  std::fprintf(stderr, "watchdog: cannot run %s: %s\n", settings.command[0], std::strerror(errno));
  std::_Exit(127);
}

/// Reaps all that ended (orphans of the test become our children); the status of `main` if it did.
std::optional<int> reap(pid_t main) {
  std::optional<int> result;
  int status = 0;
  while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
    if (pid < 0) {
      break;
    }
    if (pid == main) {
      result = status;
    }
  }
  return result;
}

void kill_all() {
  const Clock::time_point end = Clock::now() + std::chrono::seconds(10);
  while (Clock::now() < end) {
    const auto alive = watchdog::descendants();
    if (alive.empty()) {
      break;
    }
    for (const auto& process : alive) {
      ::kill(process.pid, SIGKILL);
    }
    ::usleep(5'000);
    reap(0);
  }
}

void print_all_stacks(const std::vector<watchdog::Descendant>& processes) {
  for (std::size_t i = 0; i < processes.size() && i < kMostStacks; ++i) {
    watchdog::print_stacks(processes[i]);
  }
  if (processes.size() > kMostStacks) {
    std::fprintf(stderr, "\nwatchdog: and %zu processes more\n", processes.size() - kMostStacks);
  }
}

/// True when no process is left after at most `grace`.
bool all_gone(Clock::duration grace) {
  const Clock::time_point end = Clock::now() + grace;
  auto alive = watchdog::descendants();
  while (!alive.empty() && Clock::now() < end) {
    ::usleep(10'000);
    reap(0);
    alive = watchdog::descendants();
  }
  if (alive.empty()) {
    return true;
  }
  std::fprintf(stderr, "watchdog: the test ended, but %zu of its processes still run:\n",
               alive.size());
  print_all_stacks(alive);
  return false;
}

}  // namespace

int main(int, char** argv) {
  const Settings settings = parse(argv);
  if (settings.command[0] == nullptr) {
    std::fprintf(stderr, "watchdog: no program given\n");
    return 2;
  }
  if (has_argument(settings.command, "--gtest_list_tests", "")) {
    run(settings);
  }

  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t watched;
  sigset_t before;
  ::sigemptyset(&watched);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) {
    ::sigaddset(&watched, signal);
  }
  ::sigprocmask(SIG_BLOCK, &watched, &before);

  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setsid();
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    run(settings);
  }

  const Clock::time_point start = Clock::now();
  const auto limit = time_for(settings);
  std::optional<int> status;
  while (!(status = reap(child))) {
    if (limit && Clock::now() - start > *limit) {
      std::fprintf(
          stderr, "watchdog: time is over after %lld s\n",
          static_cast<long long>(std::chrono::duration_cast<std::chrono::seconds>(*limit).count()));
      print_all_stacks(watchdog::descendants());
      kill_all();
      return kTimedOut;
    }
    timespec tick{1, 0};
    const int signal = ::sigtimedwait(&watched, nullptr, &tick);
    if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP) {
      std::fprintf(stderr, "watchdog: stopped by signal %d\n", signal);
      kill_all();
      return 128 + signal;
    }
  }

  int result = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
  if (WIFSIGNALED(*status)) {
    std::fprintf(stderr, "watchdog: the test was ended by signal %d (%s)\n", WTERMSIG(*status),
                 ::strsignal(WTERMSIG(*status)));
  }
  if (!all_gone(std::chrono::seconds(settings.grace))) {
    kill_all();
    result = result == 0 ? 1 : result;
  }
  return result;
}
