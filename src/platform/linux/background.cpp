#include <signal.h>
#include <unistd.h>

#include "platform/background.hpp"
#include "platform/descriptor.hpp"

namespace procession::platform {

void become_background_process() noexcept {
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    ::signal(signal, SIG_IGN);
  }
  static_cast<void>(!::chdir("/"));
  for (int number = 0; number < 3; ++number) {
    ::close(number);
  }
  fill_standard_descriptors();
}

}  // namespace procession::platform
