// For files of this folder that write to descriptors of the user's.
#pragma once

#include <signal.h>

#include <cerrno>
#include <ctime>

namespace procession::platform {

/// Keeps the SIGPIPE of this thread's own writes from it for a scope: the end of who reads a text
/// is not to end who works. What the thread had coming before is left as it is, and so is errno.
class NoPipeSignal {
 public:
  NoPipeSignal() noexcept : errno_(errno) {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;
  ~NoPipeSignal() {
    // Where it was blocked already, one that waits may be another's.
    if (::sigismember(&before_, SIGPIPE) == 0) {
      const timespec at_once{};
      while (raised_ && ::sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
      ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    errno = errno_;
  }

  /// A write has failed with this error.
  void note(int error) noexcept { raised_ = raised_ || error == EPIPE; }

 private:
  const int errno_;
  bool raised_ = false;
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace procession::platform
