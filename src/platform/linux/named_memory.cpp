#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "platform/linux/file_memory.hpp"
#include "platform/memory.hpp"
#include "platform/named_memory.hpp"
#include "platform/system_error.hpp"
#include "procession/error.hpp"

namespace procession::platform {
namespace {

std::string with_slash(const std::string& name) { return "/" + name; }

/// Where glibc keeps POSIX shared memory.
std::string path_of(const std::string& name) { return "/dev/shm/" + name; }

/// What stands in the way of so many bytes in the file system and in the machine; an error code, 0:
/// nothing. Asked before any are taken: a machine whose memory is filled to the brim ends other
/// programs.
int lack_of_room(int file, std::uint64_t size) {
  if (size > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) return EFBIG;
  struct statvfs found{};
  const bool fits = ::fstatvfs(file, &found) != 0 || found.f_blocks == 0 ||
                    size / found.f_frsize <= found.f_bavail;
  return fits && size <= available_memory() ? 0 : ENOSPC;
}

[[noreturn]] void throw_no_file(const std::string& name, int code) {
  const std::string what = "create the named shared memory '" + name + "'";
  if (code != ENOSPC && code != EDQUOT && code != ENOMEM) throw_system_error(what, code);
  throw OutOfMemory("cannot " + what +
                    ": /dev/shm has no inode left for one file more (df -i /dev/shm); remove files "
                    "there, make it larger (mount -o remount,nr_inodes=…), or use an Array, which "
                    "needs no /dev/shm");
}

[[noreturn]] void throw_no_room(const std::string& name, std::uint64_t size, int code) {
  const std::string bytes = std::to_string(size) + " bytes";
  if (code == ENOSPC || code == ENOMEM || code == EDQUOT || code == EFBIG) {
    throw OutOfMemory("cannot create the named shared memory '" + name + "' of " + bytes +
                      ": /dev/shm or the memory is full; make it larger (mount -o "
                      "remount,size=…, docker run "
                      "--shm-size), or use an Array, which needs no /dev/shm");
  }
  throw_system_error("give the named shared memory '" + name + "' " + bytes, code);
}

/// A signal would end the process.
void check_file_size_limit(const std::string& name, std::uint64_t size) {
  if (size <= file_size_limit()) return;
  throw OutOfMemory("cannot create the named shared memory '" + name + "' of " +
                    std::to_string(size) + " bytes: this process's files may have " +
                    std::to_string(file_size_limit()) +
                    " (RLIMIT_FSIZE, 'ulimit -f'); raise the limit, or use an Array");
}

/// False, and nothing is changed, where that name is taken, or there is none of the other.
bool rename_if_free(const std::string& name, const std::string& new_name) noexcept {
  return ::renameat2(AT_FDCWD, path_of(name).c_str(), AT_FDCWD, path_of(new_name).c_str(),
                     RENAME_NOREPLACE) == 0;
}

/// Of a block that was moved aside and is another one than was meant. Where somebody has given the
/// name away again meanwhile, it has lost it, as it would have if it had been moved a moment later.
void give_name_back(const std::string& aside, const std::string& name) noexcept {
  if (!rename_if_free(aside, name) && errno == EEXIST) remove_named_memory(aside);
}

/// Gives the block its memory, in steps that a signal may come between. An error code, 0: done.
int fill(int file, std::uint64_t size) {
  constexpr std::uint64_t kFillStep = std::uint64_t{32} << 20;
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t step = size - done < kFillStep ? size - done : kFillStep;
    const int code = back_file(file, done, step);
    if (code != 0) return code;
    done += step;
  }
  return 0;
}

}  // namespace

Descriptor create_named_memory(const std::string& name, std::uint64_t size,
                               const std::string& wanted) {
  check_file_size_limit(wanted, size);
  Descriptor file(
      ::shm_open(with_slash(name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) {
    if (errno == EEXIST) return {};
    throw_no_file(wanted, errno);
  }
  int code = lack_of_room(file.get(), size);
  if (code == 0) code = ::ftruncate(file.get(), static_cast<off_t>(size)) == 0 ? 0 : errno;
  if (code == 0) code = fill(file.get(), size);
  if (code == 0) return file;
  remove_named_memory(name);
  throw_no_room(wanted, size, code);
}

bool rename_named_memory(const std::string& name, const std::string& new_name) {
  if (rename_if_free(name, new_name)) return true;
  if (errno == EEXIST) return false;
  throw_system_error("name the shared memory '" + new_name + "'");
}

Descriptor open_named_memory(const std::string& name) {
  Descriptor file(::shm_open(with_slash(name).c_str(), O_RDWR | O_CLOEXEC, 0));
  if (!file && errno != ENOENT) {
    throw_system_error("open the named shared memory '" + name + "'");
  }
  struct stat found{};
  if (file && (::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode))) {
    throw ProcessError("asked to open the shared memory '" + name + "', but /dev/shm/" + name +
                       " is no memory, but a pipe or a device; use another name");
  }
  return file;
}

bool remove_named_memory(const std::string& name) noexcept {
  return ::shm_unlink(with_slash(name).c_str()) == 0;
}

bool remove_named_memory(const std::string& name, std::uint64_t identity,
                         const std::string& aside) noexcept {
  bool removed = false;
  const std::uint64_t left = named_memory_identity(aside);
  if (left == identity) {
    removed = remove_named_memory(aside);
  } else if (left != 0) {
    give_name_back(aside, name);
  }
  // There is no call that takes a name from one file and from no other. So the name is moved aside,
  // by which it is certain whose it was.
  if (named_memory_identity(name) != identity || !rename_if_free(name, aside)) return removed;
  if (named_memory_identity(aside) == identity) return remove_named_memory(aside) || removed;
  give_name_back(aside, name);
  return removed;
}

std::uint64_t memory_identity(int descriptor) {
  struct stat found{};
  if (::fstat(descriptor, &found) != 0) throw_system_error("look at a named shared memory");
  return found.st_ino;
}

std::uint64_t named_memory_identity(const std::string& name) noexcept {
  struct stat found{};
  return ::lstat(path_of(name).c_str(), &found) == 0 ? found.st_ino : 0;
}

}  // namespace procession::platform
