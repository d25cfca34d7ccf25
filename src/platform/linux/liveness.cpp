#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string_view>

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

bool maps_file(int pid, int descriptor) noexcept {
  struct stat file{};
  if (::fstat(descriptor, &file) != 0) return true;
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/maps", pid);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen(path.data(), "re"),
                                                             std::fclose);
  // The kernel tells of some that have ended by ESRCH; where it does not show it at all, it may be
  // somebody else's process, or there is no /proc.
  if (!maps) return errno != ESRCH && (::kill(pid, 0) == 0 || errno == EPERM);
  std::array<char, 512> line{};
  bool begins = true;  // and does not go on with a long name
  while (std::fgets(line.data(), line.size(), maps.get()) != nullptr) {
    unsigned major_number = 0;
    unsigned minor_number = 0;
    unsigned long inode = 0;
    if (begins &&
        std::sscanf(line.data(), "%*s %*s %*s %x:%x %lu", &major_number, &minor_number, &inode) ==
            3 &&
        makedev(major_number, minor_number) == file.st_dev && inode == file.st_ino) {
      return true;
    }
    begins = std::string_view(line.data()).ends_with('\n');
  }
  return false;
}

}  // namespace procession::platform
