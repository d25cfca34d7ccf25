#pragma once

#include <atomic>
#include <cstdint>

namespace procession::detail {

/// Stands around a call of the user's code in the middle of something of the library's: a lock is
/// held, or a message is half made. Such code may call fork() or daemon(), and then comes back
/// twice. A copy that comes back, or throws, ends where this ends: it says on standard error what
/// `what` has made, and leaves at once with exit status 70, before it touches what the original
/// shares with others. Costs two loads.
class CopyGuard {
 public:
  explicit CopyGuard(const char* what) noexcept;
  CopyGuard(const CopyGuard&) = delete;
  CopyGuard& operator=(const CopyGuard&) = delete;
  ~CopyGuard() { end_copies(); }

  /// The same in between.
  void end_copies() const noexcept {
    if (mark_.load(std::memory_order_relaxed) != original_) [[unlikely]] {
      end_here();
    }
  }

 private:
  [[noreturn]] void end_here() const noexcept;

  const char* what_;
  const std::atomic<std::uint64_t>& mark_;
  const std::uint64_t original_;
};

}  // namespace procession::detail
