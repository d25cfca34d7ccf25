#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "platform/parent_watch.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

ParentWatch make_parent_watch() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw_system_error("make a pipe that tells children of this process's end");
  }
  ParentWatch line{Descriptor(ends[1]), Descriptor(ends[0])};
  // Opened by children once more (open_own), also when this process has become another user.
  ::fchmod(line.watched.get(), S_IRUSR | S_IRGRP | S_IROTH);
  return {clear_of_standard(std::move(line.held)), clear_of_standard(std::move(line.watched))};
}

Descriptor open_own(int watched) {
  const std::string path = "/proc/self/fd/" + std::to_string(watched);
  Descriptor own =
      clear_of_standard(Descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
  if (!own) {
    throw_system_error("open this process's watch of its parent (is /proc mounted?)");
  }
  return own;
}

void die_with(const Descriptor& own, bool group) {
  const pid_t target = group ? -::getpid() : ::getpid();
  // The kernel signals as long as somebody has the open file. It knows the group itself, and not
  // its number, which another one may have later.
  if (group) ::fcntl(own.get(), F_SETFD, 0);
  if (::fcntl(own.get(), F_SETOWN, target) != 0 || ::fcntl(own.get(), F_SETSIG, SIGKILL) != 0 ||
      ::fcntl(own.get(), F_SETFL, O_ASYNC | O_NONBLOCK) != 0) {
    throw_system_error("watch the parent process");
  }
  pollfd entry{own.get(), 0, 0};
  if (::poll(&entry, 1, 0) > 0 && (entry.revents & POLLHUP) != 0) {
    ::kill(target, SIGKILL);
  }
}

}  // namespace procession::platform
