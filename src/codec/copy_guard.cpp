#include "procession/detail/copy_guard.hpp"

#include "platform/copy_check.hpp"
#include "platform/process_mark.hpp"

namespace procession::detail {

namespace {

/// Nearly always there is one, and to look is cheaper than to try to give it.
std::uint64_t own_mark() noexcept {
  const std::uint64_t found = platform::process_mark().load(std::memory_order_relaxed);
  return found != 0 ? found : platform::mark_process();
}

}  // namespace

CopyGuard::CopyGuard(const char* what) noexcept
    : what_(what), mark_(platform::process_mark()), original_(own_mark()) {}

void CopyGuard::end_here() const noexcept { platform::end_copy(what_); }

}  // namespace procession::detail
