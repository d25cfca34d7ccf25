#pragma once

#include <atomic>
#include <cstdint>

namespace procession::platform {

/// The exit status of a copy that comes out of what the user was called for (EX_SOFTWARE of
/// sysexits.h).
inline constexpr int kCopyExit = 70;

/// Ends this process, a copy that was made inside of `what` and came out of it: says so on standard
/// error, and leaves at once, with kCopyExit; no destructor runs and no handler.
[[noreturn]] void end_copy(const char* what) noexcept;

/// Made before code of the user's is called on behalf of another process or thread: a task, a
/// target, an initializer, a method of a manager's object, a callback. That code may call fork() or
/// daemon(), and then comes back twice. The copy is no second worker: it must not write what the
/// original shares with others, nor answer for it.
class CopyCheck {
 public:
  CopyCheck();

  /// To be called when the user's code has returned or thrown, before anything else: does not
  /// return in a copy.
  void end_copies(const char* what) const noexcept {
    if (mark_.load(std::memory_order_relaxed) != original_) [[unlikely]] {
      end_copy(what);
    }
  }
  [[nodiscard]] const std::atomic<std::uint64_t>& mark() const noexcept { return mark_; }
  [[nodiscard]] std::uint64_t original() const noexcept { return original_; }

 private:
  const std::uint64_t original_;
  const std::atomic<std::uint64_t>& mark_;
};

/// This process answers for itself: it has begun, or its record was taken, or the handlers of a
/// fork have run.
void know_process();
/// False in a copy by a bare clone(), all of whose state is still the original's.
[[nodiscard]] bool is_known_process();

}  // namespace procession::platform
