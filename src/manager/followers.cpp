#include "manager/followers.hpp"

#include <algorithm>
#include <utility>

#include "platform/cpu.hpp"
#include "platform/deadline.hpp"
#include "platform/relax.hpp"

namespace procession::manager {

namespace {

using namespace std::chrono_literals;

/// How long the leader may be at one request.
constexpr std::chrono::nanoseconds kPatience = 1ms;
/// How long a session may be without a request.
constexpr std::chrono::nanoseconds kSilence = 5ms;

/// How many clients can run beside the leader.
unsigned fewest_expected() noexcept {
  static const unsigned cpus = platform::affinity_cpus();
  return std::max(cpus, 2U) - 1;
}

constexpr unsigned kMostExpected = 1U << 16U;

/// So many clients that were woken on the leader's processor are a habit of the kernel's. With a
/// quarter of it, or if the leader stays where it is, calls of 64 clients take a tenth longer.
constexpr unsigned kMostDisplaced = 32;

/// How often requests of clients are looked for that are not expected: to look at all of them takes
/// as long as a call.
constexpr std::chrono::nanoseconds kScan = 20us;

/// How often the leader looks whether a client that falls asleep wakes the next one: that is the
/// client's next instruction, so a look or two suffice unless it is interrupted.
constexpr int kGlances = 16;

}  // namespace

Followers::Followers(detail::Handle block, LeaderState& leader)
    : block_(std::move(block)), state_(leader) {}

void Followers::join(SessionPtr& session) {
  Follower me{nullptr, Clock::now()};
  me.cpu = platform::current_cpu();
  Lock lock(mutex_);
  expected_.reserve(all_.size() + 1);
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
  if (me.session->has_request()) state_.calls.wake_one();
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

void Followers::lead(Lock& lock, Follower& me) {
  expect_nobody();
  displaced_ = 0;
  while (leader_ == &me) {
    if (displaced_ >= kMostDisplaced) {
      change_processor(me);
      continue;
    }
    note_released();
    if (answer_awake(lock, me)) {
      most_expected_ = std::max(most_expected_ / 2, fewest_expected());
      continue;
    }
    if (leader_ != &me) continue;
    // A client has fallen asleep, or none has come.
    if (held_ != nullptr && expected_.size() < most_expected_) {
      release_held();
      continue;
    }
    Follower* const waiting = held_ == nullptr ? next_waiting() : nullptr;
    if (waiting != nullptr) {
      answer(lock, me, *waiting, expected_.size() < most_expected_);
    } else if (held_ != nullptr ? spin_expected_.spin([&] { return has_come(); })
                                : spin_.spin([&] { return has_request(); })) {
      continue;
    } else {
      most_expected_ = std::min(most_expected_ * 2, kMostExpected);
      expect_nobody();
      if (held_ == nullptr) sleep(lock);
    }
  }
  if (leader_ == nullptr) state_.hide();
}

void Followers::change_processor(Follower& me) {
  displaced_ = 0;
  me.cpu = platform::current_cpu();
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const auto* one) { return one->cpu != me.cpu; });
  if (found == all_.end()) return;
  leader_ = *found;
  leader_->woken.notify_one();
  if (deputy_ == leader_) {
    deputy_ = nullptr;
    appoint_deputy();
  }
}

void Followers::note_released() noexcept {
  if (held_ == nullptr || state_.has_next()) return;
  set_expected(*std::exchange(held_, nullptr), true);
}

void Followers::release_held() noexcept {
  for (int i = 0; i != kGlances && state_.has_next(); ++i)
    platform::relax();
  state_.wake_next();
  note_released();
}

bool Followers::answer_awake(Lock& lock, const Follower& me) {
  const Clock::time_point now = Clock::now();
  if (expected_.empty() || now - scanned_ > kScan) {
    scanned_ = now;
    return answer_awake(lock, me, all_, now);
  }
  return answer_awake(lock, me, expected_, now);
}

bool Followers::answer_awake(Lock& lock, const Follower& me, const std::vector<Follower*>& these,
                             Clock::time_point now) {
  bool found = false;
  for (std::size_t i = 0; i < these.size() && leader_ == &me;) {
    Follower& one = *these[i];
    if (one.session->has_request()) {
      one.heard = now;
      if (one.session->is_asleep()) {
        set_expected(one, false);
      } else {
        found = true;
        answer(lock, me, one, true);
      }
    } else if (now - one.heard > kSilence) {
      set_free(one);
    }
    // Who was set free is not there any more, and another one is in its place.
    if (i < these.size() && these[i] == &one) ++i;
  }
  return found;
}

void Followers::answer(Lock& lock, const Follower& me, Follower& one, bool wake) {
  Session& session = *one.session;
  Next next = Next::wait;
  answered_ = &one;
  ++answers_;
  if (state_.show()) ++displaced_;
  lock.unlock();
  try {
    next = session.answer_one();
  } catch (...) {
    session.close();  // its own thread will find it so
  }
  sync::EventCount* asleep = nullptr;
  if (wake) {
    session.wake_client();
  } else {
    asleep = session.claim_client();
  }
  lock.lock();
  if (leader_ != &me) {
    // The session is this thread's by now, and its client nobody else's to wake.
    if (asleep != nullptr) asleep->wake_claimed();
    return;
  }
  answered_ = nullptr;
  if (asleep != nullptr) {
    held_ = &one;
    state_.appoint(*asleep);
  } else {
    set_expected(one, true);
  }
  if (next == Next::wait) set_free(one);
}

void Followers::sleep(Lock& lock) {
  state_.hide();
  const std::uint32_t seen = state_.calls.prepare();
  if (has_request()) return;
  lock.unlock();
  const platform::Deadline deadline(kSilence);
  sync::Sleeper(deadline).sleep(state_.calls, seen);
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
  release_held();
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
  if (held_ == &one) release_held();
  one.free = true;
  set_expected(one, false);
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

void Followers::set_expected(Follower& one, bool expected) noexcept {
  if (std::exchange(one.expected, expected) == expected) return;
  if (expected) {
    expected_.push_back(&one);
  } else {
    std::erase(expected_, &one);
  }
}

void Followers::expect_nobody() noexcept {
  for (Follower* const one : expected_)
    one->expected = false;
  expected_.clear();
}

Followers::Follower* Followers::next_waiting() noexcept {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    Follower* const one = all_[next_++ % all_.size()];
    if (one->session->has_request()) return one;
  }
  return nullptr;
}

bool Followers::has_come() const noexcept {
  return !state_.has_next() || std::any_of(expected_.begin(), expected_.end(), [](const auto* one) {
    return one->session->has_request();
  });
}

bool Followers::has_request() const noexcept {
  return std::any_of(all_.begin(), all_.end(),
                     [](const auto* one) { return one->session->has_request(); });
}

}  // namespace procession::manager
