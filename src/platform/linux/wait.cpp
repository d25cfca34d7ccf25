#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "platform/linux/poll.hpp"
#include "platform/linux/signal_number.hpp"
#include "platform/system_error.hpp"
#include "platform/wait.hpp"

namespace procession::platform {

namespace {

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

std::optional<Descriptor> open_process(int pid) {
  const long number = ::syscall(SYS_pidfd_open, pid, 0);
  if (number < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
    throw_system_error("open a descriptor for process " + std::to_string(pid));
  }
  if (number < 0 && errno != ESRCH) {
    return std::nullopt;  // a sandbox may forbid it with any code
  }
  return clear_of_standard(Descriptor(static_cast<int>(number)));
}

void wait_for_end(int pid) noexcept {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
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

Reaped reap_within(int pid, const Deadline& deadline) {
  for (;;) {
    const Reaped reaped = reap(pid);
    if (reaped.result != ReapResult::running || deadline.passed()) {
      return reaped;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

bool has_ended(int pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
         info.si_pid != 0;
}

void send_signal(int descriptor, int pid, Signal signal) {
  const int number = number_of(signal);
  if (::syscall(SYS_pidfd_send_signal, descriptor, number, nullptr, 0) == 0 || errno == ESRCH) {
    return;
  }
  // The descriptor is another one, or the call is forbidden.
  if (::kill(pid, number) != 0 && errno != ESRCH) {
    throw_system_error("send a signal to process " + std::to_string(pid));
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
