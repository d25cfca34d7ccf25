#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "procession/detail/served.hpp"
#include "procession/timeout.hpp"

namespace procession::detail {

/// An object's own mutex, for a call that changes the object: to the end of the scope, and only for
/// a caller that is still there, see `expect_caller`.
class CallGuard {
 public:
  explicit CallGuard(std::mutex& mutex) : guard_(mutex) { expect_caller(); }

 private:
  std::lock_guard<std::mutex> guard_;
};

/// Where calls of an object's methods wait for other calls, with the object's own mutex. A wait
/// whose caller has gone ends by an exception of the server's own, within a second or so; what woke
/// it is passed on.
class Gate {
 public:
  void one() noexcept { changed_.notify_one(); }
  void all() noexcept { changed_.notify_all(); }

  /// Until `ready()`, which is asked with the mutex held, and for a caller that was still there
  /// when the mutex was had; false when the time-out passes first.
  template <class Ready>
  bool wait(std::unique_lock<std::mutex>& lock, Timeout timeout, Ready ready) {
    expect_caller();
    if (ready()) return true;
    Wait wait(timeout);
    while (nap(lock, wait)) {
      if (ready()) return true;
    }
    return ready();
  }

 private:
  struct Wait {
    explicit Wait(Timeout timeout);
    std::optional<std::chrono::steady_clock::time_point> end;
    Duration nap;
  };

  /// False when the time is over.
  bool nap(std::unique_lock<std::mutex>& lock, Wait& wait);

  std::condition_variable changed_;
};

}  // namespace procession::detail
