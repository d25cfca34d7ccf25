#pragma once

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "heap/heap.hpp"
#include "procession/pool.hpp"
#include "support/sanitized.hpp"

namespace procession::pooltest {

using namespace std::chrono_literals;

/// Counters in the shared heap, by whose offset any process of the tree finds them.
using Where = std::uint64_t;

inline std::atomic<std::uint32_t>& counter(Where where, std::size_t index = 0) {
  return heap::at<std::atomic<std::uint32_t>>(where)[index];
}

class Tally {
 public:
  explicit Tally(std::size_t size = 1)
      : block_((heap::ensure(), size * sizeof(std::uint32_t)), true), size_(size) {}

  [[nodiscard]] Where where() const { return block_.offset(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  std::atomic<std::uint32_t>& operator[](std::size_t index) const {
    return counter(where(), index);
  }
  [[nodiscard]] std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      all += (*this)[i];
    }
    return all;
  }
  /// How many of them are not `expected`.
  [[nodiscard]] std::size_t other_than(std::uint32_t expected) const {
    std::size_t others = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      others += (*this)[i] != expected ? 1 : 0;
    }
    return others;
  }

 private:
  heap::Block block_;
  std::size_t size_;
};

/// Waits until it is true, however long that takes: the watchdog ends a test that hangs.
template <class Condition>
void until(Condition condition) {
  while (!condition()) {
    std::this_thread::sleep_for(1ms);
  }
}

/// For tasks: waits until the counter is at least 1.
inline void await(Where gate) {
  until([&] { return counter(gate) != 0; });
}
inline int after(Where gate, int value) {
  await(gate);
  return value;
}

// Tasks for many tests.
inline int square(int x) { return x * x; }
inline int throws_at_three(int x) { return x == 3 ? throw std::out_of_range("three") : x; }
inline void count_one(Where tally, std::size_t index) { ++counter(tally, index); }

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) {
    ++count;
  }
  ::closedir(directory);
  return count - 3;  // ".", ".." and the directory's own
}

/// The children of this process, zombies too: their names by process id.
inline std::map<int, std::string> children() {
  std::map<int, std::string> found;
  DIR* const directory = ::opendir("/proc");
  while (const dirent* const entry = ::readdir(directory)) {
    const int pid = std::atoi(entry->d_name);
    std::ifstream file("/proc/" + std::string(entry->d_name) + "/stat");
    std::string stat;
    if (pid == 0 || !std::getline(file, stat)) {
      continue;
    }
    const auto open = stat.find('(');
    const auto close = stat.rfind(')');
    char state = 0;
    int parent = 0;
    if (std::sscanf(stat.c_str() + close + 1, " %c %d", &state, &parent) == 2 &&
        parent == ::getpid()) {
      found[pid] = stat.substr(open + 1, close - open - 1) + " " + state;
    }
  }
  ::closedir(directory);
  return found;
}

/// The children that serve forks, and their copies, which look alike; the oldest first.
inline std::vector<int> fork_servers() {
  std::vector<int> found;
  for (const auto& [pid, name] : children()) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    std::string line;
    std::getline(file, line);
    if (line.find("procession-forkserver") != std::string::npos ||
        name.find("procession-fork") != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

/// How many of them there are at most once their copies have ended.
inline constexpr std::size_t kMostServers = 2;

/// Makes what the first pools make for all: the fork servers, and what those hold.
inline void have_servers() {
  for (std::size_t made = 0; made <= kMostServers; ++made) {
    Pool(2).apply([] {});
  }
}

inline std::string state_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  if (!std::getline(file, stat)) {
    return "gone";
  }
  const auto close = stat.rfind(')');
  return stat.substr(close + 2, 1);
}

/// Whether the process has ended; nobody need have waited for it.
inline bool ended(int pid) {
  const std::string state = state_of(pid);
  return state == "gone" || state == "Z" || state == "X";
}

/// Names the instances of a suite of tests that is run by processes and by threads.
inline std::string kind_name(const testing::TestParamInfo<StartMethod>& of) {
  return of.param == StartMethod::thread ? "Thread" : "Process";
}

}  // namespace procession::pooltest
