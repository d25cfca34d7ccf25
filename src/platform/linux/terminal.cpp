#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

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

}  // namespace procession::platform
