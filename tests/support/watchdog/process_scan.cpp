#include "support/watchdog/process_scan.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace watchdog {
namespace {

struct Entry {
  pid_t parent;
  char state;
  std::string name;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();  // an iterator would throw when the process ends between open and read
  return text.str();
}

std::vector<pid_t> numbered_entries(const std::string& folder) {
  std::vector<pid_t> found;
  if (DIR* dir = ::opendir(folder.c_str())) {
    while (const dirent* entry = ::readdir(dir)) {
      if (const int number = std::atoi(entry->d_name); number > 0) {
        found.push_back(number);
      }
    }
    ::closedir(dir);
  }
  return found;
}

std::map<pid_t, Entry> process_table() {
  std::map<pid_t, Entry> table;
  for (const pid_t pid : numbered_entries("/proc")) {
    const std::string stat = read_all("/proc/" + std::to_string(pid) + "/stat");
    // The name may itself hold spaces and parentheses: "12 (a (b) c) S 1 ...".
    const std::size_t open = stat.find('(');
    const std::size_t close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos) {
      continue;  // it ended meanwhile
    }
    Entry entry{0, '?', stat.substr(open + 1, close - open - 1)};
    std::istringstream rest(stat.substr(close + 1));
    rest >> entry.state >> entry.parent;
    table.emplace(pid, std::move(entry));
  }
  return table;
}

std::string command_of(pid_t pid, const std::string& name) {
  std::string line = read_all("/proc/" + std::to_string(pid) + "/cmdline");
  std::replace(line.begin(), line.end(), '\0', ' ');
  return line.empty() ? "[" + name + "]" : line;
}

bool run_gdb(pid_t pid) {
  const std::string target = std::to_string(pid);
  const pid_t gdb = ::fork();
  if (gdb == 0) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDERR_FILENO);  // gdb's complaints about missing sources and symbols
    ::dup2(null, STDIN_FILENO);
    ::execlp("gdb", "gdb", "-batch", "-nx", "-q", "-iex", "set debuginfod enabled off", "-p",
             target.c_str(), "-ex", "thread apply all bt 40", nullptr);
    ::_exit(127);
  }
  constexpr int kPatienceMs = 30'000;
  int status = 0;
  for (int waited = 0; ::waitpid(gdb, &status, WNOHANG) == 0; waited += 20) {
    if (waited >= kPatienceMs) {
      ::kill(gdb, SIGKILL);
    }
    ::poll(nullptr, 0, 20);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::vector<Descendant> descendants() {
  const std::map<pid_t, Entry> table = process_table();
  const pid_t self = ::getpid();
  const auto is_below = [&](pid_t pid) {
    for (auto at = table.find(pid); at != table.end(); at = table.find(at->second.parent)) {
      if (at->second.parent == self) {
        return true;
      }
    }
    return false;
  };
  std::vector<Descendant> found;
  for (const auto& [pid, entry] : table) {
    if (entry.state != 'Z' && entry.state != 'X' && is_below(pid)) {
      found.push_back({pid, entry.state, command_of(pid, entry.name)});
    }
  }
  return found;
}

void print_stacks(const Descendant& process) {
  std::fprintf(stderr, "\nwatchdog: process %d (%c): %s\n", process.pid, process.state,
               process.command.c_str());
  if (run_gdb(process.pid)) {
    return;
  }
  const std::string tasks = "/proc/" + std::to_string(process.pid) + "/task/";
  for (const pid_t thread : numbered_entries(tasks)) {
    const std::string task = tasks + std::to_string(thread);
    std::fprintf(stderr, "  thread %d: sleeps in %s; system call %s", thread,
                 read_all(task + "/wchan").c_str(), read_all(task + "/syscall").c_str());
  }
}

}  // namespace watchdog
