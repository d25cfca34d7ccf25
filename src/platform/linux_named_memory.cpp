#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "platform/linux_file_memory.hpp"
#include "platform/memory.hpp"
#include "platform/named_memory.hpp"
#include "platform/system_error.hpp"
#include "procession/error.hpp"

namespace procession::platform {
namespace {

std::string with_slash(const std::string& name) { return "/" + name; }

/// Where glibc keeps POSIX shared memory.
std::string path_of(const std::string& name) { return "/dev/shm/" + name; }

/// Whether there is room for `size` bytes in the file system and in the machine. Asked before any
/// are taken: a machine whose memory is filled to the brim ends other programs.
bool has_room(int file, std::uint64_t size) {
  struct statvfs found{};
  const bool fits = ::fstatvfs(file, &found) != 0 || found.f_blocks == 0 ||
                    size / found.f_frsize <= found.f_bavail;
  return fits && size <= available_memory();
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

Descriptor create_named_memory(const std::string& name, std::uint64_t size) {
  Descriptor file(
      ::shm_open(with_slash(name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) {
    if (errno == EEXIST) return {};
    throw_system_error("create the named shared memory '" + name + "'");
  }
  int code = has_room(file.get(), size) ? 0 : ENOSPC;
  if (code == 0) code = ::ftruncate(file.get(), static_cast<off_t>(size)) == 0 ? 0 : errno;
  if (code == 0) code = fill(file.get(), size);
  if (code == 0) return file;
  remove_named_memory(name);
  if (code == ENOSPC || code == ENOMEM) {
    throw OutOfMemory("cannot create the named shared memory '" + name + "' of " +
                      std::to_string(size) +
                      " bytes: /dev/shm or the memory is full; make it larger (mount -o "
                      "remount,size=…, docker run "
                      "--shm-size), or use an Array, which needs no /dev/shm");
  }
  throw_system_error(
      "give the named shared memory '" + name + "' " + std::to_string(size) + " bytes", code);
}

bool rename_named_memory(const std::string& name, const std::string& new_name) {
  if (::renameat2(AT_FDCWD, path_of(name).c_str(), AT_FDCWD, path_of(new_name).c_str(),
                  RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno == EEXIST) return false;
  throw_system_error("name the shared memory '" + new_name + "'");
}

Descriptor open_named_memory(const std::string& name) {
  Descriptor file(::shm_open(with_slash(name).c_str(), O_RDWR | O_CLOEXEC, 0));
  if (!file && errno != ENOENT) {
    throw_system_error("open the named shared memory '" + name + "'");
  }
  return file;
}

bool remove_named_memory(const std::string& name) noexcept {
  return ::shm_unlink(with_slash(name).c_str()) == 0;
}

std::uint64_t memory_identity(int descriptor) {
  struct stat found{};
  if (::fstat(descriptor, &found) != 0) throw_system_error("look at a named shared memory");
  return found.st_ino;
}

std::uint64_t named_memory_identity(const std::string& name) noexcept {
  struct stat found{};
  return ::stat(path_of(name).c_str(), &found) == 0 ? found.st_ino : 0;
}

}  // namespace procession::platform
