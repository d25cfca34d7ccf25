#include "platform/linux_poll.hpp"

#include <cerrno>
#include <string>

#include "platform/system_error.hpp"

namespace procession::platform {

bool poll_until(std::span<pollfd> entries, const Deadline& deadline, const char* what) {
  for (;;) {
    const Timeout left = deadline.left();
    const timespec span = timespec_of(left.value_or(Duration::zero()));
    const int ready = ::ppoll(entries.data(), entries.size(), left ? &span : nullptr, nullptr);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) throw_system_error(std::string("wait for ") + what);
    if (ready == 0 && deadline.passed()) return false;
  }
}

}  // namespace procession::platform
