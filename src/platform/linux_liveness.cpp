#include <fcntl.h>

#include <cerrno>

#include "platform/liveness.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {
namespace {

// POSIX locks, not open-file-description locks: those are shared with every heir of a descriptor,
// so that a dead parent would seem alive as long as one of its children.
struct flock byte_at(std::uint64_t offset) noexcept {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset);
  lock.l_len = 1;
  return lock;
}

}  // namespace

bool lock_byte(int descriptor, std::uint64_t offset) {
  struct flock lock = byte_at(offset);
  if (::fcntl(descriptor, F_SETLK, &lock) == 0) return true;
  if (errno == EACCES || errno == EAGAIN) return false;
  throw_system_error("lock a byte of the shared heap, which says that this process lives");
}

void wait_for_all_locks(int descriptor) {
  struct flock lock = byte_at(0);
  lock.l_len = 0;  // to the end
  while (::fcntl(descriptor, F_SETLKW, &lock) != 0) {
    if (errno != EINTR) throw_system_error("wait for the end of all processes of a tree");
  }
}

bool byte_is_locked(int descriptor, std::uint64_t offset) {
  struct flock lock = byte_at(offset);
  if (::fcntl(descriptor, F_GETLK, &lock) == 0) return lock.l_type != F_UNLCK;
  throw_system_error("look whether a process lives, by its lock in the shared heap");
}

}  // namespace procession::platform
