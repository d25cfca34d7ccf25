#include <sys/resource.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "platform/control_group.hpp"
#include "platform/system_error.hpp"
#include "procession/error.hpp"

namespace procession::platform {

namespace {

std::string limit_text(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
}

/// Of each control group that has a limit: a container's or a batch job's.
std::string group_limits_text() {
  std::string text;
  for (const ControlGroup& group : control_groups("pids")) {
    std::ifstream file(group.folder + "/pids.max");
    unsigned long limit = 0;
    if (file >> limit) {  // not "max"
      text += ", pids.max of " + group.folder + " is " + std::to_string(limit);
    }
  }
  return text;
}

std::string advice(int code) {
  switch (code) {
    case EMFILE:
      return "; this process has no descriptors left (RLIMIT_NOFILE is " +
             limit_text(RLIMIT_NOFILE) + "): close some, or raise it with 'ulimit -n'";
    case ENFILE:
      return "; the whole system has no descriptors left (fs.file-max)";
    case EAGAIN:
      return "; no more processes or threads may be made (RLIMIT_NPROC is " +
             limit_text(RLIMIT_NPROC) + group_limits_text() + "): end some, or raise the limit";
    case ENOMEM:
      return "; there is not enough memory for it: free some, or raise the memory limit";
    default:
      return "";
  }
}

}  // namespace

std::string system_error_text(std::string_view what, int code) {
  return "cannot " + std::string(what) + ": " + std::generic_category().message(code) +
         advice(code);
}

void throw_system_error(std::string_view what, int code) {
  throw ProcessError(system_error_text(what, code));
}

void throw_system_error(std::string_view what) { throw_system_error(what, errno); }

}  // namespace procession::platform
