#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "platform/linux/pipe_signal.hpp"
#include "platform/linux/poll.hpp"
#include "platform/report.hpp"

namespace procession::platform {

namespace {

/// False when there was none in time.
bool wait_for_room(int descriptor, const Deadline& deadline) noexcept {
  try {
    pollfd entry{descriptor, POLLOUT, 0};
    return poll_until({&entry, 1}, deadline, "room in a stream");
  } catch (...) {
    return false;
  }
}

}  // namespace

void write_text(int descriptor, std::string_view text, Timeout longest) noexcept {
  NoPipeSignal no_signal;
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      if (!wait_for_room(descriptor, Deadline(longest))) {
        return;
      }
    } else if (written == 0 || errno != EINTR) {
      no_signal.note(errno);
      return;  // there is nowhere left to say so
    }
  }
}

}  // namespace procession::platform
