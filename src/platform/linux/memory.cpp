#include "platform/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "platform/linux/file_memory.hpp"
#include "platform/system_error.hpp"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

namespace procession::platform {
namespace {

constexpr std::uint64_t kHuge = std::uint64_t{2} << 20;

/// Of a sparse mapping, so much goes into a core dump: it tells of locks, pools and queues, and is
/// written in some milliseconds.
constexpr std::uint64_t kDumped = std::uint64_t{4} << 20;

/// One call of fallocate is interrupted by any signal and starts over: with a profiler's timer
/// running, a call for a gibibyte would never end.
constexpr std::uint64_t kStep = std::uint64_t{32} << 20;

/// Whether the kernel gives huge pages of shared memory to mappings that were advised, and only to
/// those: then they come with a page fault, not with fallocate.
bool huge_pages_on_advice() noexcept {
  static const bool answer = [] {
    std::FILE* file = std::fopen("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "re");
    if (file == nullptr) return false;
    char text[128] = {};
    const bool read = std::fgets(text, sizeof text, file) != nullptr;
    std::fclose(file);
    return read && std::strstr(text, "[advise]") != nullptr;
  }();
  return answer;
}

bool commit_step(int descriptor, std::byte* base, std::uint64_t offset,
                 std::uint64_t size) noexcept {
  if (size >= 2 * kHuge && huge_pages_on_advice()) {
    // Whole pages of the mapping are meant: start at the page that `offset` lies on.
    const std::uint64_t start = offset / page_size() * page_size();
    if (::madvise(base + start, offset + size - start, MADV_POPULATE_WRITE) == 0) return true;
  }
  return back_file(descriptor, offset, size) == 0;
}

std::uint64_t limit_of(decltype(RLIMIT_AS) resource) noexcept {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return limit.rlim_cur;
}

}  // namespace

std::uint64_t page_size() noexcept {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

Descriptor create_memory_file(const char* name, std::uint64_t size) {
  Descriptor file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) throw_system_error("create the memory file of the shared heap");
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
    throw_system_error("size the memory file of the shared heap");
  }
  // A process of the tree that has gone wild must not pull it away from under the others.
  ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  return file;
}

std::uint64_t file_size(int descriptor) noexcept {
  struct stat facts{};
  return ::fstat(descriptor, &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

std::optional<FileIdentity> file_identity(int descriptor) noexcept {
  struct stat facts{};
  if (::fstat(descriptor, &facts) != 0) return std::nullopt;
  return FileIdentity{facts.st_dev, facts.st_ino};
}

void close_on_exec(int descriptor) noexcept { ::fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

std::uint64_t file_memory(int descriptor) noexcept {
  struct stat facts{};
  return ::fstat(descriptor, &facts) == 0 ? static_cast<std::uint64_t>(facts.st_blocks) * 512 : 0;
}

std::byte* map_shared(int descriptor, std::uint64_t size, bool readable_only) noexcept {
  void* address = ::mmap(nullptr, size, readable_only ? PROT_READ : PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_NORESERVE, descriptor, 0);
  return address == MAP_FAILED ? nullptr : static_cast<std::byte*>(address);
}

std::byte* reserve_addresses(std::uint64_t size) noexcept {
  void* address =
      ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return address == MAP_FAILED ? nullptr : static_cast<std::byte*>(address);
}

bool map_shared_at(std::byte* address, int descriptor, std::uint64_t offset, std::uint64_t size,
                   bool accessible) noexcept {
  return ::mmap(address, size, accessible ? PROT_READ | PROT_WRITE : PROT_NONE,
                MAP_SHARED | MAP_NORESERVE | MAP_FIXED, descriptor,
                static_cast<off_t>(offset)) != MAP_FAILED;
}

bool has_mappings_left(std::size_t count) noexcept {
  const std::uint64_t page = page_size();
  const std::uint64_t size = 2 * count * page;
  std::byte* const base = reserve_addresses(size);
  if (base == nullptr) return false;
  bool all = true;
  // Each page that differs from its neighbours is a mapping of its own.
  for (std::uint64_t at = page; all && at < size; at += 2 * page)
    all = ::mprotect(base + at, page, PROT_READ) == 0;
  unmap(base, size);
  return all;
}

void allow_access(std::byte* address, std::uint64_t size) noexcept {
  if (::mprotect(address, size, PROT_READ | PROT_WRITE) == 0) return;
  std::perror(
      "procession: this process cannot get access to more of the shared heap; ENOMEM: it has too "
      "many mappings (vm.max_map_count)");
  std::abort();
}

void unmap(std::byte* address, std::uint64_t size) noexcept { ::munmap(address, size); }

bool commit(int descriptor, std::byte* base, std::uint64_t offset, std::uint64_t size) noexcept {
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t step = std::min(kStep, size - done);
    if (!commit_step(descriptor, base, offset + done, step)) return false;
    done += step;
  }
  return true;
}

bool commit_mapped(std::byte* address, std::uint64_t size) noexcept {
  while (::madvise(address, size, MADV_POPULATE_WRITE) != 0) {
    if (errno != EINTR && errno != EAGAIN) return false;
  }
  return true;
}

void punch_mapped(std::byte* address, std::uint64_t size) noexcept {
  if (::madvise(address, size, MADV_REMOVE) != 0) std::memset(address, 0, size);
}

void punch_hole(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept {
  const std::uint64_t page = page_size();
  const std::uint64_t start = (offset + page - 1) / page * page;
  const std::uint64_t end = (offset + size) / page * page;
  for (std::uint64_t at = start; at < end; at += kStep) {
    const std::uint64_t step = std::min(kStep, end - at);
    clear_file(descriptor, at, step);
  }
}

void advise_sparse(std::byte* address, std::uint64_t size) noexcept {
  ::madvise(address, size, MADV_HUGEPAGE);
  if (size > kDumped) ::madvise(address + kDumped, size - kDumped, MADV_DONTDUMP);
}

std::uint64_t physical_memory() noexcept {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page_size();
}

std::uint64_t address_space_left() noexcept {
  const std::uint64_t limit = limit_of(RLIMIT_AS);
  if (limit == std::numeric_limits<std::uint64_t>::max()) return limit;
  unsigned long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  const std::uint64_t used = pages * page_size();
  return limit > used ? limit - used : 0;
}

std::uint64_t file_size_limit() noexcept { return limit_of(RLIMIT_FSIZE); }

}  // namespace procession::platform
