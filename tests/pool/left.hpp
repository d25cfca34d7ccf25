#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include "heap/heap.hpp"
#include "process/proc_files.hpp"
#include "procession/process.hpp"
#include "support.hpp"

// What pools leave behind.
namespace procession::pooltest {

/// What this process has.
struct Left {
  heap::Audit audit;
  std::size_t descriptors = 0;

  static Left look() { return {heap::audit(), open_descriptors()}; }
};

/// Processes of this program that have lost their parent: who adopts them, the watchdog, is the
/// parent of this process too.
inline std::size_t orphans() {
  const auto program_of = [](const std::string& pid) {
    char path[4096] = {};
    return ::readlink(("/proc/" + pid + "/exe").c_str(), path, sizeof path - 1) > 0
               ? std::string(path)
               : std::string();
  };
  const std::string program = program_of("self");
  std::size_t count = 0;
  DIR* const directory = ::opendir("/proc");
  while (const dirent* const entry = ::readdir(directory)) {
    const int pid = std::atoi(entry->d_name);
    if (pid > 0 && pid != ::getpid() && process_test::stat_of(pid).parent == ::getppid() &&
        program_of(entry->d_name) == program) {
      ++count;
    }
  }
  ::closedir(directory);
  return count;
}

/// What killed processes left whose parents were killed before them, is given back at the latest
/// when the next process is started.
inline void start_something() {
  Process child([] {});
  child.start();
  child.join();
}

/// Waits until no more is there than before, and no process but the fork servers. The memory of a
/// pool is given back when the last of those who look after it has let go of it.
inline void expect_nothing_left(const Left& before) {
  unsigned looks = 0;
  until([&] {
    const Left now = Left::look();
    const std::size_t processes = children().size();
    const std::size_t lost = orphans();
    if (++looks % 50 == 0) {
      start_something();
    }
    if (looks % 3'000 == 0) {  // for whoever reads what the watchdog prints
      std::fprintf(stderr,
                   "still left: blocks %+lld, bytes %+lld, holds %+lld, descriptors %+lld, "
                   "%zu processes, %zu orphans\n",
                   static_cast<long long>(now.audit.blocks - before.audit.blocks),
                   static_cast<long long>(now.audit.in_use - before.audit.in_use),
                   static_cast<long long>(now.audit.holds - before.audit.holds),
                   static_cast<long long>(now.descriptors - before.descriptors), processes, lost);
    }
    return now.audit.in_use <= before.audit.in_use && now.audit.blocks <= before.audit.blocks &&
           now.audit.holds <= before.audit.holds && now.descriptors <= before.descriptors &&
           processes <= kMostServers && lost == 0;
  });
}

/// The audit once what earlier tests had has been given back.
inline heap::Audit settled_audit() {
  have_servers();
  until([] { return children().size() <= kMostServers; });
  start_something();
  for (std::uint64_t seen = ~std::uint64_t{0}; seen != heap::audit().blocks;) {
    seen = heap::audit().blocks;
    std::this_thread::sleep_for(100ms);
  }
  return heap::audit();
}

}  // namespace procession::pooltest
