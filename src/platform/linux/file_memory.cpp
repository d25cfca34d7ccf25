#include "platform/linux/file_memory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

namespace procession::platform {
namespace {

/// What is told where a call may not be made, or does not exist: nothing about memory.
bool is_denial(int error) {
  return error == EOPNOTSUPP || error == ENOSYS || error == EPERM || error == EACCES;
}

/// An error code, 0: done.
int write_zeros(int file, std::uint64_t from, std::uint64_t to) {
  static constexpr std::array<char, 1U << 16U> kZeros{};
  while (from < to) {
    const std::uint64_t size = std::min<std::uint64_t>(kZeros.size(), to - from);
    const ssize_t written = ::pwrite(file, kZeros.data(), size, static_cast<off_t>(from));
    if (written > 0) {
      from += static_cast<std::uint64_t>(written);
    } else if (written == 0 || errno != EINTR) {
      return written == 0 ? ENOSPC : errno;
    }
  }
  return 0;
}

/// An error code, 0: done.
int fill_holes(int file, std::uint64_t from, std::uint64_t to) {
  while (from < to) {
    const off_t hole = ::lseek(file, static_cast<off_t>(from), SEEK_HOLE);
    if (hole < 0) {
      return errno;
    }
    const std::uint64_t begin = std::max(from, static_cast<std::uint64_t>(hole));
    if (begin >= to) {
      return 0;
    }
    const off_t data = ::lseek(file, static_cast<off_t>(begin), SEEK_DATA);
    if (data < 0 && errno != ENXIO) {
      return errno;
    }
    const std::uint64_t end = data < 0 ? to : std::min(to, static_cast<std::uint64_t>(data));
    if (const int error = write_zeros(file, begin, end); error != 0) {
      return error;
    }
    from = end;
  }
  return 0;
}

/// Calls fallocate() to its end; an error code, 0: done. Not again where it was denied once.
int allocate(int file, int mode, std::uint64_t offset, std::uint64_t size) {
  static std::atomic<int> denial{0};
  if (const int before = denial.load(std::memory_order_relaxed); before != 0) {
    return before;
  }
  while (::fallocate(file, mode, static_cast<off_t>(offset), static_cast<off_t>(size)) != 0) {
    const int error = errno;
    if (error != EINTR) {
      if (is_denial(error)) {
        denial.store(error, std::memory_order_relaxed);
      }
      return error;
    }
  }
  return 0;
}

}  // namespace

int back_file(int file, std::uint64_t offset, std::uint64_t size) noexcept {
  const int error = allocate(file, 0, offset, size);
  return is_denial(error) ? fill_holes(file, offset, offset + size) : error;
}

void clear_file(int file, std::uint64_t offset, std::uint64_t size) noexcept {
  constexpr int kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (is_denial(allocate(file, kPunch, offset, size))) {
    static_cast<void>(write_zeros(file, offset, offset + size));
  }
}

}  // namespace procession::platform
