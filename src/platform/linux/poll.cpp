#include "platform/linux/poll.hpp"

#include <cerrno>
#include <cstddef>
#include <string>

#include "platform/system_error.hpp"
#include "procession/error.hpp"

namespace procession::platform {

namespace {

/// Throws for the first that is no open descriptor: poll() says of such ones that they are ready.
void refuse_closed(std::span<const pollfd> entries, const char* what) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if ((entries[i].revents & POLLNVAL) != 0) {
      throw ProcessError("asked to wait for " + std::string(what) + ": at index " +
                         std::to_string(i) + " of " + std::to_string(entries.size()) +
                         " is descriptor " + std::to_string(entries[i].fd) +
                         ", which is not open; keep open what is waited for");
    }
  }
}

}  // namespace

bool poll_until(std::span<pollfd> entries, const Deadline& deadline, const char* what) {
  for (;;) {
    const Timeout left = deadline.left();
    const timespec span = timespec_of(left.value_or(Duration::zero()));
    const int ready = ::ppoll(entries.data(), entries.size(), left ? &span : nullptr, nullptr);
    if (ready > 0) {
      refuse_closed(entries, what);
      return true;
    }
    if (ready < 0 && errno != EINTR) throw_system_error(std::string("wait for ") + what);
    if (ready == 0 && deadline.passed()) return false;
  }
}

}  // namespace procession::platform
