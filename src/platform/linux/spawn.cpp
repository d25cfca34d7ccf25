#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <vector>

#include "platform/descriptor.hpp"
#include "platform/self.hpp"
#include "platform/spawn.hpp"
#include "platform/streams.hpp"
#include "platform/system_error.hpp"

extern "C" {
extern char** environ;
// Present when the program was built for coverage; _exit would lose what was counted.
void __gcov_dump() __attribute__((weak));
}

namespace procession::platform {

namespace {

constexpr int kFirstPassed = 3;

/// posix_spawn's two objects, destroyed on every way out.
struct SpawnPlan {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
};

/// Where glibc wants the kernel to write this thread's id; null where the kernel does not tell.
int* thread_id_address() {
  int* address = nullptr;
  return ::prctl(PR_GET_TID_ADDRESS, &address) == 0 ? address : nullptr;
}

}  // namespace

int execute_self(std::span<const int> descriptors, std::span<const std::string> variables,
                 const char* role) {
  SpawnPlan plan;
  // A source numbered inside the target range could be overwritten before its turn: such ones are
  // moved out first.
  const int first_free = kFirstPassed + static_cast<int>(descriptors.size());
  std::vector<Descriptor> moved;
  int target = kFirstPassed;
  for (int source : descriptors) {
    if (source < first_free) {
      moved.push_back(duplicate(source, first_free));
      source = moved.back().get();
    }
    ::posix_spawn_file_actions_adddup2(&plan.actions, source, target++);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, first_free);

  sigset_t none;
  sigset_t defaults;
  ::sigemptyset(&none);
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGTERM);
  ::sigaddset(&defaults, SIGCHLD);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &defaults);
  ::posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const auto replaced = [&](const std::string& variable) {
      return std::string_view(*entry).starts_with(
          std::string_view(variable).substr(0, variable.find('=') + 1));
    };
    if (std::none_of(variables.begin(), variables.end(), replaced)) {
      environment.push_back(*entry);
    }
  }
  for (const std::string& variable : variables) {
    environment.push_back(const_cast<char*>(variable.c_str()));
  }
  environment.push_back(nullptr);
  const SelfCommand command = self_command();
  std::vector<char*> arguments;
  arguments.reserve(command.words.size() + 2);
  for (const std::string& word : command.words) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(const_cast<char*>(role));
  arguments.push_back(nullptr);

  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, command.file.c_str(), &plan.actions, &plan.attributes,
                                  arguments.data(), environment.data());
  if (error == ENOENT || error == EACCES) {
    throw_system_error("execute this program's own image (" + command.file +
                           ") for a new process (is /proc mounted, also in a root that this "
                           "process changed to, and are the program's loader and libraries there?)",
                       error);
  }
  if (error != 0) {
    throw_system_error("execute this program's own image (" + command.file + ") for a new process",
                       error);
  }
  return pid;
}

bool can_clone_sibling() { return __libc_single_threaded != 0 && thread_id_address() != nullptr; }

int clone_sibling(std::atomic<std::int32_t>* told) {
  // A bare clone leaves glibc with the caller's thread id and without a robust-mutex list: both are
  // set up as fork() would, so that mutexes, raise() and new threads work in the copy.
  int* const id = thread_id_address();
  robust_list_head* robust_list = nullptr;
  std::size_t robust_size = 0;
  ::syscall(SYS_get_robust_list, 0, &robust_list, &robust_size);
  const unsigned long telling = told != nullptr ? CLONE_PARENT_SETTID : 0;
  const long pid = ::syscall(
      SYS_clone, CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | telling | SIGCHLD,
      nullptr, told, id, nullptr);
  if (pid == 0) {
    ::syscall(SYS_set_robust_list, robust_list, robust_size);
    return 0;
  }
  return pid < 0 ? -errno : static_cast<int>(pid);
}

int fork_process() {
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw_system_error("fork a process");
  }
  return pid;
}

void exit_flushed(int code) {
  flush_streams();
  std::fflush(nullptr);  // every other open file
  exit_now(code);
}

void exit_now(int code) {
  if (__gcov_dump != nullptr) {
    __gcov_dump();
  }
  ::_exit(code);
}

int process_id() { return ::getpid(); }
int thread_id() { return ::gettid(); }

unsigned thread_count() {
  // A folder's link count is two and one for each folder in it: here, one for each thread.
  struct stat folder{};
  return ::stat("/proc/self/task", &folder) == 0 && folder.st_nlink > 2
             ? static_cast<unsigned>(folder.st_nlink) - 2
             : 1;
}

}  // namespace procession::platform
