#include <sys/mman.h>
#include <unistd.h>

#include "platform/fork_handlers.hpp"
#include "platform/process_mark.hpp"

namespace procession::platform {

namespace {

using Mark = std::atomic<std::uint64_t>;

Mark in_own_memory{0};
/// Copied by a fork, so that no two in a line have the same.
std::atomic<std::uint64_t> last{0};

/// In a page that the kernel clears in each copy. Where it does not, forks by fork() are told from
/// their parents, and those by a bare clone() are not.
Mark& make() {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const page =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED && ::madvise(page, size, MADV_WIPEONFORK) == 0) {
    return *static_cast<Mark*>(page);
  }
  add_fork_handlers(nullptr, nullptr, [] { in_own_memory = 0; });
  return in_own_memory;
}

Mark& mark() {
  static Mark& made = make();
  return made;
}

}  // namespace

const Mark& process_mark() { return mark(); }

std::uint64_t mark_process() {
  // Written without a look before: in each new process that would be a page fault more.
  std::uint64_t found = 0;
  const std::uint64_t next = ++last;
  return mark().compare_exchange_strong(found, next) ? next : found;
}

}  // namespace procession::platform
