#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "platform/deadline.hpp"
#include "platform/wait.hpp"
#include "procession/error.hpp"

// How children are ended: asked by SIGTERM, and killed if they have not heeded that when their
// grace is over. Those that are ended together have one grace together, so that it does not take
// longer the more there are; a stopped one, which heeds nothing, uses up no more of it than others.
//
// Objects that are destroyed one after another, the elements of a vector or static objects at the
// end of the program, do not know of each other. So this process keeps an account: what was waited
// in vain for children that had to be killed is taken off the graces that begin soon after it.
// Children that heed SIGTERM use up nothing, however long they take.
namespace procession::process {

/// How long terminated children may take to end before they are killed.
inline constexpr std::chrono::seconds kGracePeriod{5};
/// The same of workers, which have nothing of their own to bring to an end.
inline constexpr std::chrono::seconds kWorkersGracePeriod{2};
/// The same of fork servers, which have nothing at all; and how much of a grace that others have
/// used up is left to them in any case.
inline constexpr std::chrono::seconds kServersGracePeriod{2};
inline constexpr std::chrono::milliseconds kServersLeast{500};

/// What is left to a child in any case when those before it have used up all of its grace: some
/// hundred times what one takes that heeds SIGTERM at once.
inline constexpr std::chrono::milliseconds kLeastGracePeriod{200};

/// How much of graces was used up lately: not more than the longest one, and less by a second with
/// each second that goes by. Thread-safe.
class GracePeriodAccount {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  /// How much is used up. It looks at no clock where that is nothing: a child at its end would pay
  /// for that with page faults.
  [[nodiscard]] Duration used() const noexcept;
  [[nodiscard]] Duration used(Moment now) const noexcept;
  /// A grace has ended in vain at whose begin `before` was used up.
  void use(Duration before, Duration grace, Moment now) noexcept;

 private:
  std::atomic<Moment::rep> free_again_{0};  ///< the moment at which nothing is used up any more
};

/// That of this process.
inline constinit GracePeriodAccount grace_account;

/// The time, from now on, in which children that were asked to end may do so.
class GracePeriod {
 public:
  /// All of `length`.
  explicit GracePeriod(Duration length) : GracePeriod(length, Duration::zero()) {}
  /// What those have left that did not heed SIGTERM a moment ago.
  static GracePeriod after_others(Duration length) {
    const Duration used = grace_account.used();
    return {std::max<Duration>(kLeastGracePeriod, length - used), used};
  }

  [[nodiscard]] Duration length() const { return length_; }
  [[nodiscard]] Timeout left() const { return deadline_.left(); }
  /// Somebody has to be killed.
  void use_up() noexcept;

 private:
  GracePeriod(Duration length, Duration used_before)
      : length_(length), used_before_(used_before), deadline_(length) {}

  Duration length_;
  Duration used_before_;
  platform::Deadline deadline_;
  bool used_up_ = false;
};

/// Does it to a child. One that its owner closes at this very moment is its owner's to end, and
/// those beside it are ended. False where it could not be done.
template <class Action>
bool attempt(const Action& action) {
  try {
    action();
    return true;
  } catch (const ProcessError&) {
    return false;
  }
}

/// SIGTERM to each. Children are pointers to `detail::Child`.
template <class Children>
void terminate_all(const Children& children) {
  for (const auto& child : children) {
    attempt([&] { child->signal(platform::Signal::terminate); });
  }
}

/// Waits for the end of children that were sent SIGTERM, and kills those that are left when the
/// grace is over. False where some cannot be killed, as when this process has become another user:
/// they end with it.
template <class Children>
bool join_terminated(const Children& children, GracePeriod& grace) {
  std::vector<bool> ended;
  for (const auto& child : children) {
    bool has = true;
    attempt([&] { has = child->join(grace.left()); });
    ended.push_back(has);
  }
  if (std::find(ended.begin(), ended.end(), false) != ended.end()) grace.use_up();
  bool all = true;
  std::vector<bool> ends;
  for (std::size_t i = 0; const auto& child : children) {
    ends.push_back(ended[i++] || attempt([&] { child->signal(platform::Signal::kill); }));
    all = all && ends.back();
  }
  for (std::size_t i = 0; const auto& child : children) {
    if (ends[i++]) {
      attempt([&] { child->join({}); });
    }
  }
  return all;
}

}  // namespace procession::process
