#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "platform/standing.hpp"

namespace procession::platform {

Standing Standing::look() {
  Standing found;
  struct stat root{};
  if (::stat("/", &root) == 0) {
    found.root = {root.st_dev, root.st_ino};
  }
  auto& users = found.users;
  ::getresuid(users.data(), &users[1], &users[2]);
  ::getresgid(&users[3], &users[4], &users[5]);
  if (const int count = ::getgroups(0, nullptr); count > 0) {
    found.groups.resize(static_cast<std::size_t>(count));
    const int got = ::getgroups(count, found.groups.data());
    found.groups.resize(static_cast<std::size_t>(got > 0 ? got : 0));
  }
  // The main thread's: it is the process's in the eyes of who set it from outside.
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (::sched_getaffinity(::getpid(), sizeof processors, &processors) == 0) {
    found.processors.resize(sizeof processors);
    std::memcpy(found.processors.data(), &processors, sizeof processors);
  }
  for (const auto resource : {RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE,
                              RLIMIT_MEMLOCK, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_STACK}) {
    rlimit limit{};
    ::getrlimit(resource, &limit);
    found.limits.push_back(limit.rlim_cur);
    found.limits.push_back(limit.rlim_max);
  }
  found.niceness = ::getpriority(PRIO_PROCESS, 0);
  return found;
}

}  // namespace procession::platform
