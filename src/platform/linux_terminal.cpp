#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "platform/terminal.hpp"

namespace procession::platform {

bool is_terminal(int descriptor) noexcept {
  const int saved = errno;
  const char* kind = std::getenv("TERM");
  const bool dumb = kind != nullptr && std::string_view(kind) == "dumb";
  const bool terminal = !dumb && ::isatty(descriptor) == 1;
  errno = saved;
  return terminal;
}

unsigned terminal_columns(int descriptor) noexcept {
  const int saved = errno;
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  errno = saved;
  return known ? size.ws_col : 80U;
}

void write_text(int descriptor, std::string_view text) noexcept {
  const int saved = errno;
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      // Somebody made the stream non-blocking; a short wait keeps the line whole, a long one would
      // stop the work for the sake of its log.
      pollfd ready{descriptor, POLLOUT, 0};
      if (::poll(&ready, 1, 100) <= 0) break;
    } else if (written == 0 || errno != EINTR) {
      break;
    }
  }
  errno = saved;
}

}  // namespace procession::platform
