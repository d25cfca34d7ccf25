#pragma once

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

// What /proc says of processes.
namespace process_test {

struct Stat {
  char state = 0;  // 0: there is no such process
  int parent = 0;
};

inline Stat stat_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  Stat stat;
  // The name, in parentheses, may hold anything.
  if (const std::size_t end = text.rfind(')'); end != std::string::npos) {
    std::istringstream(text.substr(end + 1)) >> stat.state >> stat.parent;
  }
  return stat;
}

/// Whether the process has ended, reaped or not.
inline bool gone(int pid) {
  const char state = stat_of(pid).state;
  return state == 0 || state == 'Z' || state == 'X';
}

inline std::string command_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The children of this process, zombies included.
inline std::vector<int> children_of_this() {
  std::vector<int> found;
  DIR* const folder = ::opendir("/proc");
  while (const dirent* entry = ::readdir(folder)) {
    const int pid = std::atoi(entry->d_name);
    if (pid > 0 && stat_of(pid).parent == ::getpid()) {
      found.push_back(pid);
    }
  }
  ::closedir(folder);
  return found;
}

inline int count_zombies() {
  int count = 0;
  for (const int pid : children_of_this()) {
    count += stat_of(pid).state == 'Z' ? 1 : 0;
  }
  return count;
}

/// This process's fork server; 0: none. Only while no child by forkserver runs: those are copies of
/// it and look alike.
inline int fork_server_pid() {
  for (const int pid : children_of_this()) {
    if (!gone(pid) && command_of(pid).find("procession-forkserver") != std::string::npos) {
      return pid;
    }
  }
  return 0;
}

/// This process's descriptors and what they are open on.
inline std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> found;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name[0] == '.' || std::stoi(name) == ::dirfd(folder)) {
      continue;
    }
    char target[512] = {};
    if (::readlinkat(::dirfd(folder), entry->d_name, target, sizeof target - 1) > 0) {
      found[std::stoi(name)] = target;
    }
  }
  ::closedir(folder);
  return found;
}

}  // namespace process_test
