#include <sys/random.h>

#include <cerrno>

#include "platform/random.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

void fill_random(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      throw_system_error("get random bytes from the system");
    }
  }
}

}  // namespace procession::platform
