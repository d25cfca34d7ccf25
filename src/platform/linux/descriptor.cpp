#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "platform/descriptor.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

void Descriptor::reset() {
  if (number_ >= 0) {
    ::close(std::exchange(number_, -1));
  }
}

Descriptor duplicate(int descriptor, int at_least) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, at_least);
  if (copy < 0) {
    throw_system_error("duplicate a descriptor");
  }
  return Descriptor(copy);
}

Descriptor clear_of_standard(Descriptor descriptor) {
  return descriptor && descriptor.get() <= STDERR_FILENO
             ? duplicate(descriptor.get(), STDERR_FILENO + 1)
             : std::move(descriptor);
}

Descriptor working_directory() {
  Descriptor folder(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
    throw_system_error("open the working directory for a new process");
  }
  return folder;
}

void replace(int number, int descriptor) {
  if (::dup2(descriptor, number) < 0) {
    throw_system_error("pass on a standard descriptor");
  }
}

void fill_standard_descriptors() {
  int opened = 0;
  do {
    opened = ::open("/dev/null", O_RDWR);
  } while (opened >= 0 && opened <= STDERR_FILENO);
  Descriptor(opened).reset();
}

void change_directory(int folder) {
  if (::fchdir(folder) != 0) {
    throw_system_error("enter the parent's working directory");
  }
}

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

}  // namespace procession::platform
