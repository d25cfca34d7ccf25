#pragma once

#include <chrono>

namespace procession::detail {

/// How fast the source of a stream gives its elements, and what is to be done about it after each
/// pull. The reader pulls, in whose thread the source is to be asked, and cannot do anything else
/// while the source lets it wait. So results that are there come before elements that are not.
class SourceSpeed {
 public:
  using Clock = std::chrono::steady_clock;

  /// A pull that takes so long is slow: a worker has run a small task, and told of it, by then.
  static constexpr std::chrono::microseconds kSlow{200};
  /// The reader looks for results after it has pulled for so long without.
  static constexpr std::chrono::milliseconds kLook{1};
  /// After so many pulls in a row that took so long together, the time of each is not taken any
  /// more: a look at the clock would be a part of it. The supervisor, who looks every millisecond,
  /// then tells when that has passed.
  static constexpr int kFastPulls = 32;
  static constexpr std::chrono::microseconds kFastTogether{64};

  enum class Advice {
    hand_over,  ///< what was pulled, at once: nobody knows how long the next pull takes
    hold,       ///< it with what comes next; the supervisor hands it over if that takes long
    look,       ///< hand it over, and look whether there are results
  };

  /// The first of several pulls begins.
  void begin() {
    if (!fast_) begin_timed(Clock::now());
  }

  /// A pull has ended; whether the supervisor has looked since one of them was held.
  Advice pulled(bool looked) {
    if (fast_) {
      if (!looked) return Advice::hold;
      fast_ = false;
      begin_timed(Clock::now());
      return Advice::look;
    }
    const Clock::time_point now = Clock::now();
    last_pull_ = now - last_;
    last_ = now;
    slow_ = last_pull_ >= kSlow;
    if (slow_ || now - began_ >= kLook) return Advice::look;
    if (++pulls_ == kFastPulls) fast_ = now - began_ < kFastTogether;
    return Advice::hand_over;
  }

  /// Whether pulls are not timed now.
  [[nodiscard]] bool fast() const { return fast_; }
  /// Whether the last pull was.
  [[nodiscard]] bool slow() const { return slow_; }

  /// For how long to wait for results before the next slow pull, so that those of quick tasks need
  /// not wait for it: a part of what such a pull takes, and ever more seldom while none comes.
  [[nodiscard]] std::chrono::nanoseconds wait_for_results() {
    if (skipped_ < (1 << misses_) - 1) {
      ++skipped_;
      return std::chrono::nanoseconds(0);
    }
    skipped_ = 0;
    return last_pull_ / 4;
  }
  /// What came of such a wait.
  void waited(bool for_a_result) {
    misses_ = for_a_result ? 0 : misses_ + (misses_ != kMostMisses ? 1 : 0);
  }

 private:
  static constexpr int kMostMisses = 4;

  void begin_timed(Clock::time_point now) {
    began_ = last_ = now;
    pulls_ = 0;
  }

  bool fast_ = false;
  bool slow_ = false;
  int pulls_ = 0;  ///< that were timed since `began_`
  int misses_ = 0;
  int skipped_ = 0;
  Clock::time_point began_;
  Clock::time_point last_;  ///< the end of the last pull
  std::chrono::nanoseconds last_pull_{};
};

}  // namespace procession::detail
