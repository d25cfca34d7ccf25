#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "platform/pipe.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw_system_error("make a pipe");
  }
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  pipe = {clear_of_standard(std::move(pipe.out)), clear_of_standard(std::move(pipe.in))};
  // The two ends are different open files: this one's mode is not the other's.
  if (::fcntl(pipe.out.get(), F_SETFL, O_NONBLOCK) != 0) {
    throw_system_error("make a pipe that never blocks its reader");
  }
  return pipe;
}

std::optional<std::string> read_pipe(const Descriptor& out) {
  std::string text(64U << 10U, '\0');
  ssize_t got = 0;
  do {
    got = ::read(out.get(), text.data(), text.size());
  } while (got < 0 && errno == EINTR);
  if (got == 0) {
    return std::nullopt;
  }
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

std::optional<PipeName> pipe_of(int descriptor) noexcept {
  struct stat facts{};
  if (::fstat(descriptor, &facts) != 0 || !S_ISFIFO(facts.st_mode)) {
    return std::nullopt;
  }
  return PipeName{facts.st_dev, facts.st_ino};
}

std::size_t bytes_in_pipe(int descriptor) noexcept {
  int bytes = 0;
  return ::ioctl(descriptor, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes)
                                                                 : 0;
}

}  // namespace procession::platform
