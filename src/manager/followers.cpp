#include "manager/followers.hpp"

#include <algorithm>
#include <utility>

#include "platform/cpu.hpp"
#include "platform/deadline.hpp"

namespace procession::manager {

namespace {

using namespace std::chrono_literals;

/// How long the leader may be at one request.
constexpr std::chrono::nanoseconds kPatience = 1ms;
/// How long a session may be without a request.
constexpr std::chrono::nanoseconds kSilence = 5ms;

/// How many clients can run beside the leader.
unsigned fewest_coming() noexcept {
  static const unsigned cpus = platform::affinity_cpus();
  return std::max(cpus, 2U) - 1;
}

constexpr unsigned kMostComing = 1U << 16U;

}  // namespace

Followers::Followers(detail::Handle block, Lead& lead) : block_(std::move(block)), lead_(lead) {}

void Followers::join(SessionPtr& session) {
  Follower me{nullptr, Clock::now()};
  Lock lock(mutex_);
  all_.push_back(&me);
  // Moved: this thread may exchange it, and the one that gets it is to be able to end it, on which
  // the request that this thread is at may wait.
  me.session = std::move(session);
  if (leader_ == nullptr) {
    leader_ = &me;
  } else if (deputy_ == nullptr) {
    deputy_ = &me;
  }
  // The leader may be about to sleep, and have looked when this was not among the others.
  if (me.session->has_request()) lead_.calls.wake_one();
  follow(lock, me);
  session = std::move(me.session);
}

void Followers::follow(Lock& lock, Follower& me) {
  while (!me.free) {
    if (leader_ == &me) {
      lead(lock, me);
    } else if (deputy_ == &me) {
      watch(lock, me);
    } else {
      me.woken.wait(lock);
    }
  }
}

void Followers::lead(Lock& lock, const Follower& me) {
  expect_nobody();
  while (leader_ == &me) {
    if (answer_awake(lock, me) || leader_ != &me) continue;
    Follower* const waiting = next_waiting();
    if (waiting != nullptr && coming_ < most_coming_) {
      answer(lock, me, *waiting);
    } else if (spin_.spin([&] { return waiting != nullptr ? has_come() : has_request(); })) {
      most_coming_ = std::max(most_coming_ / 2, fewest_coming());
    } else {
      most_coming_ = std::min(most_coming_ * 2, kMostComing);
      expect_nobody();
      if (waiting == nullptr) sleep(lock);
    }
  }
  if (leader_ == nullptr) lead_.hide();
}

bool Followers::answer_awake(Lock& lock, const Follower& me) {
  const Clock::time_point now = Clock::now();
  bool found = false;
  for (std::size_t i = 0; i < all_.size() && leader_ == &me;) {
    Follower& one = *all_[i];
    if (one.session->has_request()) {
      one.heard = now;
      set_coming(one, false);
      if (!one.session->is_asleep()) {
        found = true;
        answer(lock, me, one);
      }
    } else if (now - one.heard > kSilence) {
      set_free(one);
    }
    // Who was set free is not there any more, and another one is in its place.
    if (i < all_.size() && all_[i] == &one) ++i;
  }
  return found;
}

void Followers::answer(Lock& lock, const Follower& me, Follower& one) {
  Session& session = *one.session;
  Next next = Next::wait;
  answered_ = &one;
  ++answers_;
  lead_.show();
  lock.unlock();
  try {
    next = session.answer_one();
  } catch (...) {
    session.close();  // its own thread will find it so
  }
  lock.lock();
  if (leader_ != &me) return;
  answered_ = nullptr;
  set_coming(one, true);
  if (next == Next::wait) set_free(one);
}

void Followers::sleep(Lock& lock) {
  lead_.hide();
  const std::uint32_t seen = lead_.calls.prepare();
  if (has_request()) return;
  lock.unlock();
  const platform::Deadline deadline(kSilence);
  sync::Sleeper(deadline).sleep(lead_.calls, seen);
  lock.lock();
}

void Followers::watch(Lock& lock, Follower& me) {
  const Follower* const before = answered_;
  const std::uint64_t answers = answers_;
  me.woken.wait_for(lock, kPatience);
  const bool stuck = before != nullptr && answered_ == before && answers_ == answers;
  if (stuck && deputy_ == &me) take_over(me);
}

void Followers::take_over(Follower& me) {
  Follower& stuck = *leader_;
  std::swap(stuck.session, answered_->session);
  answered_ = nullptr;
  leader_ = &me;
  deputy_ = nullptr;
  set_free(stuck);
  for (std::size_t i = all_.size(); i-- != 0;) {
    if (all_[i] != &me && all_[i]->session->has_request()) set_free(*all_[i]);
  }
}

void Followers::set_free(Follower& one) {
  one.free = true;
  set_coming(one, false);
  std::erase(all_, &one);
  if (leader_ == &one) {
    leader_ = deputy_ != nullptr ? std::exchange(deputy_, nullptr) : nullptr;
    if (leader_ != nullptr) leader_->woken.notify_one();
  }
  if (deputy_ == &one) deputy_ = nullptr;
  if (deputy_ == nullptr) appoint_deputy();
  one.woken.notify_one();
}

void Followers::appoint_deputy() {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const auto* one) { return one != leader_; });
  if (found == all_.end()) return;
  deputy_ = *found;
  deputy_->woken.notify_one();
}

void Followers::set_coming(Follower& one, bool coming) noexcept {
  if (std::exchange(one.coming, coming) == coming) return;
  coming_ = coming ? coming_ + 1 : coming_ - 1;
}

void Followers::expect_nobody() noexcept {
  for (Follower* const one : all_)
    set_coming(*one, false);
}

Followers::Follower* Followers::next_waiting() noexcept {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    Follower* const one = all_[next_++ % all_.size()];
    if (one->session->has_request()) return one;
  }
  return nullptr;
}

bool Followers::has_come() const noexcept {
  return std::any_of(all_.begin(), all_.end(),
                     [](const auto* one) { return one->coming && one->session->has_request(); });
}

bool Followers::has_request() const noexcept {
  return std::any_of(all_.begin(), all_.end(),
                     [](const auto* one) { return one->session->has_request(); });
}

}  // namespace procession::manager
