// Starts where a limit forbids them: `limits_program METHOD HOW...`, one line of result each.
//
//   descriptors    as many descriptors left as 0, 1, 2, ...
//   processes      RLIMIT_NPROC (not for root: becomes nobody first)
//   group FOLDER   pids.max of a control group of its own
//   memory         an argument larger than the shared heap (see PROCESSION_HEAP)
//   ignored        SIGCHLD is ignored
//   stolen         the program reaps all children itself
//   heap           1 GiB of live heap

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "process/proc_files.hpp"
#include "procession/error.hpp"
#include "procession/init.hpp"
#include "procession/process.hpp"

namespace {

namespace mp = procession;

mp::StartMethod method;

void look_around(const std::string& folder) {
  // What a child of a parent without descriptors could lack.
  const bool same = std::filesystem::current_path().string() == folder;
  const bool out = ::fcntl(1, F_GETFD) >= 0 && ::fcntl(2, F_GETFD) >= 0;
  if (!same || !out) {
    throw std::runtime_error("it lacks something");
  }
}

struct Attempt {
  int exitcode = -1;
  std::exception_ptr refusal;  // looked at later: checks of sanitizers need descriptors, too

  [[nodiscard]] std::string text() const {
    try {
      if (refusal != nullptr) {
        std::rethrow_exception(refusal);
      }
    } catch (const mp::ProcessError& error) {
      return error.what();
    }
    return std::to_string(exitcode);
  }
};

Attempt try_start() {
  Attempt result;
  try {
    mp::Process process({.start_method = method}, look_around,
                        std::filesystem::current_path().string());
    process.start();
    process.join();
    result.exitcode = process.exitcode().value();
  } catch (...) {
    result.refusal = std::current_exception();
  }
  return result;
}

/// The exit code of a child, or the text of a refusal.
std::string attempt() { return try_start().text(); }

void descriptors() {
  attempt();
  std::filesystem::current_path("/");  // not where a fork server runs already
  const std::size_t before = process_test::open_descriptors().size();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 64;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  for (std::size_t left = 0; left <= 12; ++left) {
    const int server = process_test::fork_server_pid();
    std::vector<int> taken;
    for (int number = 0; (number = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
      taken.push_back(number);
    }
    for (std::size_t i = 0; i < left; ++i) {
      ::close(taken.back());
      taken.pop_back();
    }
    const Attempt found = try_start();
    // Then without a fork server that runs already.
    if (server > 0) {
      ::kill(server, SIGKILL);
    }
    const Attempt anew = try_start();
    for (const int number : taken) {
      ::close(number);
    }
    std::printf("%zu left: %s\n", left, found.text().c_str());
    std::printf("%zu left: %s\n", left, anew.text().c_str());
    if (process_test::open_descriptors().size() > before) {
      std::printf("%zu left: some were lost\n", left);
    }
  }
  std::printf("after: %s\n", attempt().c_str());
  std::printf("zombies: %d\n", process_test::count_zombies());
}

void processes() {
  if (::getuid() == 0 &&
      // A user of its own: the limit counts all processes of a user, other tests' too.
      (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 ||
       ::setuid(static_cast<uid_t>(100'000 + ::getpid())) != 0)) {
    std::printf("skip: cannot become another user: %s\n", std::strerror(errno));
    return;
  }
  std::filesystem::current_path("/");
  rlimit before{};
  ::getrlimit(RLIMIT_NPROC, &before);
  for (rlim_t most = 1; most <= 2; ++most) {  // 2: a fork server, but no child of it
    const rlimit limit{most, before.rlim_max};
    ::setrlimit(RLIMIT_NPROC, &limit);
    std::printf("at most %d: %s\n", static_cast<int>(most), attempt().c_str());
  }
  ::setrlimit(RLIMIT_NPROC, &before);
  if (const int server = process_test::fork_server_pid(); server > 0) {
    ::kill(server, SIGKILL);  // it has the old limit
  }
  std::printf("after: %s\n", attempt().c_str());
  std::printf("zombies: %d\n", process_test::count_zombies());
}

bool write_to(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

void control_group(const std::string& folder) {
  if (!write_to(folder + "/cgroup.procs", std::to_string(::getpid()))) {
    std::printf("skip: cannot enter the control group %s\n", folder.c_str());
    return;
  }
  for (const int most : {1, 2}) {  // 2: a fork server, but no child of it
    write_to(folder + "/pids.max", std::to_string(most));
    std::printf("at most %d: %s\n", most, attempt().c_str());
  }
  write_to(folder + "/pids.max", "max");
  std::printf("after: %s\n", attempt().c_str());
  std::printf("zombies: %d\n", process_test::count_zombies());
}

void memory() {
  std::printf("before: %s\n", attempt().c_str());
  try {
    mp::Process process(
        {.start_method = method}, [](const std::string&) {},
        std::string(std::size_t{64} << 20, 'x'));
    std::printf("it was made\n");
  } catch (const mp::OutOfMemory& error) {
    std::printf("refused: %s\n", error.what());
  }
  std::printf("after: %s\n", attempt().c_str());
}

std::string end_by(void (*target)()) {
  mp::Process process({.start_method = method}, target);
  process.start();
  process.join();
  return std::to_string(process.exitcode().value());
}

void print_ends() {
  std::printf("return: %s\n", end_by([] {}).c_str());
  std::printf("throw: %s\n", end_by([] { throw 1; }).c_str());
  std::printf("exit: %s\n", end_by([] { std::exit(5); }).c_str());
  std::printf("kill: %s\n", end_by([] { ::raise(SIGKILL); }).c_str());
}

void ignored() {
  ::signal(SIGCHLD, SIG_IGN);
  print_ends();
}

void stolen() {
  struct sigaction reaper{};
  reaper.sa_flags = SA_RESTART;
  reaper.sa_handler = [](int) {
    const int saved = errno;
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    errno = saved;
  };
  ::sigaction(SIGCHLD, &reaper, nullptr);
  print_ends();
}

void large_heap() {
  constexpr std::size_t kSize = std::size_t{1} << 30;
  const std::unique_ptr<char[]> live(new char[kSize]);
  std::memset(live.get(), 1, kSize);
  std::printf("1 GiB: %s\n", attempt().c_str());
  std::printf("%d\n", live[kSize / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc < 3) {
    return 2;
  }
  for (const mp::StartMethod one : mp::get_all_start_methods()) {
    if (std::string(argv[1]) == mp::to_string(one)) {
      method = one;
    }
  }
  const std::string how = argv[2];
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (how == "descriptors") {
    descriptors();
  } else if (how == "processes") {
    processes();
  } else if (how == "group" && argc > 3) {
    control_group(argv[3]);
  } else if (how == "memory") {
    memory();
  } else if (how == "ignored") {
    ignored();
  } else if (how == "stolen") {
    stolen();
  } else if (how == "heap") {
    large_heap();
  }
}
