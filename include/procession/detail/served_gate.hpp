#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "procession/timeout.hpp"

namespace procession::detail {

/// Where calls of an object's methods wait for other calls, with the object's own mutex. A wait
/// whose caller has gone ends by an exception of the server's own, within a second or so; what woke
/// it is passed on.
class Gate {
 public:
  void one() noexcept { changed_.notify_one(); }
  void all() noexcept { changed_.notify_all(); }

  /// Until `ready()`, which is asked with the mutex held; false when the time-out passes first.
  template <class Ready>
  bool wait(std::unique_lock<std::mutex>& lock, Timeout timeout, Ready ready) {
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
