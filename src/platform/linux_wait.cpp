#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "platform/linux_poll.hpp"
#include "platform/system_error.hpp"
#include "platform/wait.hpp"

namespace procession::platform {

namespace {

int number_of(Signal signal) {
  switch (signal) {
    case Signal::terminate:
      return SIGTERM;
    case Signal::kill:
      return SIGKILL;
    case Signal::interrupt:
      return SIGINT;
  }
  return SIGKILL;
}

constexpr const char* kWhat = "a descriptor";

Reaped reap_with(int pid, int options) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, options);
    if (ended == 0) {
      return {};
    }
    if (ended > 0) {
      return {ReapResult::ended, WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status)};
    }
    if (errno != EINTR) {
      return {ReapResult::unknown, 0};
    }
  }
}

}  // namespace

Descriptor open_process(int pid) {
  const long number = ::syscall(SYS_pidfd_open, pid, 0);
  if (number < 0 && errno != ESRCH) {
    throw_system_error("open a descriptor for process " + std::to_string(pid));
  }
  return clear_of_standard(Descriptor(static_cast<int>(number)));
}

bool wait_readable(int descriptor, const Deadline& deadline) {
  pollfd entry{descriptor, POLLIN, 0};
  return poll_until({&entry, 1}, deadline, kWhat);
}

std::vector<std::size_t> wait_readable_any(std::span<const int> descriptors,
                                           const Deadline& deadline) {
  // Each once: poll takes no more entries than the process may have descriptors.
  std::vector<int> each(descriptors.begin(), descriptors.end());
  std::sort(each.begin(), each.end());
  each.erase(std::unique(each.begin(), each.end()), each.end());
  std::vector<pollfd> entries;
  entries.reserve(each.size());
  for (const int descriptor : each) {
    entries.push_back({descriptor, POLLIN, 0});
  }
  std::vector<std::size_t> ready;
  if (poll_until(entries, deadline, kWhat)) {
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      const auto place = std::lower_bound(each.begin(), each.end(), descriptors[i]);
      if (entries[static_cast<std::size_t>(place - each.begin())].revents != 0) {
        ready.push_back(i);
      }
    }
  }
  return ready;
}

Reaped reap(int pid) { return reap_with(pid, WNOHANG); }

Reaped reap_waiting(int pid) { return reap_with(pid, 0); }

void send_signal(int process_descriptor, Signal signal) {
  if (::syscall(SYS_pidfd_send_signal, process_descriptor, number_of(signal), nullptr, 0) != 0 &&
      errno != ESRCH) {
    throw_system_error("send a signal to a process");
  }
}

void send_signal_to(int pid, Signal signal) { ::kill(pid, number_of(signal)); }

Descriptor make_event() {
  const int number = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (number < 0) {
    throw_system_error("make an event descriptor");
  }
  return clear_of_standard(Descriptor(number));
}

void raise_event(int event) {
  const std::uint64_t one = 1;
  // Full is as good as raised.
  [[maybe_unused]] const ssize_t written = ::write(event, &one, sizeof one);
}

void clear_event(int event) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(event, &count, sizeof count);
}

}  // namespace procession::platform
