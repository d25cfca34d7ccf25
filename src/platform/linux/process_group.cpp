#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "platform/descriptor.hpp"
#include "platform/linux/signal_number.hpp"
#include "platform/process_group.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

namespace {

std::string folder_of(int pid) { return "/proc/" + std::to_string(pid); }

/// When a process started; 0 when there is none, or it has ended.
unsigned long long start_of(int pid) {
  std::ifstream file(folder_of(pid) + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  // The name may itself hold spaces and parentheses: "12 (a (b) c) S 1 ...".
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) {
    return 0;
  }
  std::istringstream rest(text.substr(close + 1));
  char state = 0;
  rest >> state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) {
    rest >> skipped;
  }
  unsigned long long started = 0;
  rest >> started;
  return state == 'Z' || state == 'X' ? 0 : started;
}

/// The entries of a folder of /proc that are numbers.
std::vector<int> numbers_in(const std::string& folder) {
  std::vector<int> found;
  DIR* const entries = ::opendir(folder.c_str());
  if (entries == nullptr) {
    return found;
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> closed(entries, ::closedir);
  while (const dirent* const entry = ::readdir(entries)) {
    int number = 0;
    const std::string_view name(entry->d_name);
    if (std::from_chars(name.data(), name.data() + name.size(), number).ec == std::errc{}) {
      found.push_back(number);
    }
  }
  return found;
}

std::vector<int> children_of(int pid) {
  std::vector<int> found;
  // Each thread has children of its own.
  for (const int thread : numbers_in(folder_of(pid) + "/task")) {
    std::ifstream file(folder_of(pid) + "/task/" + std::to_string(thread) + "/children");
    for (int child = 0; file >> child;) {
      found.push_back(child);
    }
  }
  return found;
}

void add_descendants(int pid, const std::function<bool(int)>& spared,
                     std::vector<ProcessMark>& found) {
  const pid_t session = ::getsid(pid);
  for (const int child : children_of(pid)) {
    const ProcessMark mark{child, start_of(child)};
    // One that leads a session of its own was detached on purpose.
    const bool detached = ::getsid(child) == child && session != child;
    if (mark.started != 0 && !detached && !spared(child) &&
        std::find(found.begin(), found.end(), mark) == found.end()) {
      found.push_back(mark);
      add_descendants(child, spared, found);
    }
  }
}

/// After a kill() that failed: that the process has ended is as good.
void expect_signalled(int pid) {
  if (errno != ESRCH) {
    throw_system_error("send a signal to process " + std::to_string(pid));
  }
}

void signal_marked_by_number(const std::vector<ProcessMark>& marked, int number) noexcept {
  for (const ProcessMark& mark : marked) {
    try {
      // Where the kernel gives it, the descriptor names the process that is looked at next.
      const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, mark.pid, 0)));
      if (start_of(mark.pid) != mark.started) {
        continue;
      }
      if (!process || ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0) != 0) {
        ::kill(mark.pid, number);
      }
    } catch (...) {
      // There is no memory to look at it; it is left alone.
    }
  }
}

}  // namespace

Terminal own_terminal() noexcept {
  const Descriptor terminal(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!terminal) {
    return Terminal::none;
  }
  return ::tcgetpgrp(terminal.get()) == ::getpgrp() ? Terminal::foreground : Terminal::background;
}

void lead_process_group(bool terminal) noexcept {
  ::setpgid(0, 0);
  if (terminal) {
    ::signal(SIGTTIN, SIG_IGN);
    ::signal(SIGTTOU, SIG_IGN);
  }
}

void signal_group(int leader, Signal signal) {
  const int number = number_of(signal);
  if (::kill(-leader, number) != 0 && (errno != ESRCH || ::kill(leader, number) != 0)) {
    expect_signalled(leader);
  }
}

void kill_rest_of_group(int leader, bool reaped) noexcept {
  // No process gets a number that a group still has.
  if (!reaped || (::kill(leader, 0) != 0 && errno == ESRCH)) {
    ::kill(-leader, SIGKILL);
  }
}

std::vector<ProcessMark> find_descendants(int pid, const std::function<bool(int)>& spared) {
  std::vector<ProcessMark> found;
  add_descendants(pid, spared, found);
  return found;
}

void signal_marked(const std::vector<ProcessMark>& marked, Signal signal) noexcept {
  signal_marked_by_number(marked, number_of(signal));
}

void kill_with_descendants(int pid, const std::function<bool(int)>& spared) {
  std::vector<ProcessMark> stopped;
  ::kill(pid, SIGSTOP);
  try {
    for (;;) {
      std::vector<ProcessMark> found = stopped;
      add_descendants(pid, spared, found);
      for (const ProcessMark& mark : stopped) {
        add_descendants(mark.pid, spared, found);
      }
      if (found.size() == stopped.size()) {
        break;
      }
      signal_marked_by_number(found, SIGSTOP);
      stopped = std::move(found);
    }
  } catch (...) {
    // Without memory those that were found are killed, and the child in any case.
  }
  signal_marked_by_number(stopped, SIGKILL);
  if (::kill(pid, SIGKILL) != 0) {
    expect_signalled(pid);
  }
}

}  // namespace procession::platform
