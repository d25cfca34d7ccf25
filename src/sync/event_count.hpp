#pragma once

#include <atomic>
#include <cstdint>

#include "sync/system.hpp"

namespace procession::sync {

template <class S>
class BasicSleeper;

/// Where processes sleep until something else in shared memory has changed. The sleeper:
///
///     Sleeper sleeper(deadline);
///     while (!there_is_something()) {
///       const std::uint32_t seen = word.prepare();
///       if (there_is_something()) break;
///       if (!sleeper.sleep(word, seen)) return timed_out;
///     }
///     sleeper.leave(word);
///
/// and the waker: make it so, then `wake_one()` or `wake_all()`, which cost an atomic operation
/// when nobody sleeps. Nothing here counts sleepers, so one that is killed leaves nothing to
/// repair. What a killed process can do is to swallow a wake-up: it was woken, or about to wake. So
/// nobody sleeps for long without a look: see Sleeper.
///
/// Lies in shared memory, zeroed. Bit 0: somebody may sleep. Bits 1-31: a number that changes with
/// each wake-up.
template <class S>
class BasicEventCount {
 public:
  /// Announces that the caller is about to sleep; what it has to look for again afterwards.
  std::uint32_t prepare() noexcept { return word_.fetch_or(1) | 1; }

  /// Whether somebody may sleep, by a mere look.
  [[nodiscard]] bool announced() const noexcept {
    return (word_.load(std::memory_order_relaxed) & 1) != 0;
  }

  /// Wakes one sleeper, after a change that can serve one.
  void wake_one() noexcept { wake(1); }
  void wake_all() noexcept { wake(kAll); }

  /// The two halves of `wake_one()`: whether a sleeper had announced itself, which is to be woken
  /// by `wake_claimed()` then. Another process may do that: it does not touch the word, in whose
  /// place something else may lie by then. A sleeper that is about to sleep does not.
  bool claim_one() noexcept { return claim(word_.fetch_add(0)); }
  void wake_claimed() noexcept { S::wake(word_, 1); }

  /// The same for who has made the change under a RobustMutex and has just unlocked it.
  void wake_one_after_unlock() noexcept { wake_after_unlock(1); }
  void wake_all_after_unlock() noexcept { wake_after_unlock(kAll); }

 private:
  friend class BasicSleeper<S>;
  static constexpr int kAll = 0x7fffffff;

  void wake(int most) noexcept {
    // Not a mere load: of this and the sleeper's announcement one comes first, and either the waker
    // sees the announcement or the sleeper sees what the waker has changed.
    wake_if_seen(word_.fetch_add(0), most);
  }

  void wake_after_unlock(int most) noexcept {
    if constexpr (S::kUnlockIsFence) {
      wake_if_seen(word_.load(), most);
    } else {
      wake(most);
    }
  }

  void wake_if_seen(std::uint32_t seen, int most) noexcept {
    if (claim(seen)) S::wake(word_, most);
  }

  bool claim(std::uint32_t seen) noexcept {
    while ((seen & 1) != 0) {
      if (word_.compare_exchange_weak(seen, (seen + 2) & ~1U)) return true;
    }
    return false;
  }

  typename S::template Word<std::uint32_t> word_;
};

/// One wait, of any number of sleeps, each of which ends by itself after a while (see Backoff), at
/// first after 100 ms.
template <class S>
class BasicSleeper {
 public:
  explicit BasicSleeper(const typename S::Deadline& deadline) : sleeps_(deadline) {}

  /// Sleeps until the word changes from `seen`, or for a while. False when the deadline has passed:
  /// look a last time.
  bool sleep(BasicEventCount<S>& word, std::uint32_t seen) noexcept {
    if (!sleeps_.sleep(word.word_, seen)) return false;
    slept_ = true;
    return true;
  }

  /// To be called when the wait has ended well. Others who sleep were not woken, because a wake-up
  /// of one clears the announcement of all: where `wake_one` is used and this returns true, look
  /// whether there is something for them too, and wake one.
  bool leave(BasicEventCount<S>& word) const noexcept {
    if (slept_) {
      word.word_.fetch_or(1);
    }
    return slept_;
  }

 private:
  typename S::Sleeps sleeps_;
  bool slept_ = false;
};

using EventCount = BasicEventCount<System>;
using Sleeper = BasicSleeper<System>;

}  // namespace procession::sync
