#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "manager/caller.hpp"
#include "procession/barrier.hpp"
#include "procession/detail/served_queue.hpp"
#include "procession/detail/served_sync.hpp"
#include "procession/error.hpp"

namespace procession::detail {

namespace {

constexpr std::int64_t kMostPermits = std::numeric_limits<std::uint32_t>::max();

}  // namespace

ServedSemaphore::ServedSemaphore(std::int64_t value, bool bounded)
    : value_(value), most_(bounded ? value : kMostPermits) {
  if (value < 0 || value > kMostPermits) {
    throw std::invalid_argument("a semaphore with " + std::to_string(value) +
                                " permits was asked for; it can have 0 to " +
                                std::to_string(kMostPermits));
  }
}

bool ServedSemaphore::acquire(Timeout timeout) {
  std::unique_lock lock(mutex_);
  if (!gate_.wait(lock, timeout, [&] { return value_ != 0; })) return false;
  --value_;
  return true;
}

void ServedSemaphore::release(std::int64_t n) {
  if (n < 1) {
    throw std::invalid_argument("asked to give a semaphore " + std::to_string(n) +
                                " permits; it can be given 1 or more at a time");
  }
  const std::lock_guard guard(mutex_);
  if (n > most_ - value_) {
    throw ProcessError("asked to give a semaphore " + std::to_string(n) + " permits, which has " +
                       std::to_string(value_) + " and may have " + std::to_string(most_) +
                       "; release() was called more often than acquire()");
  }
  value_ += n;
  n == 1 ? gate_.one() : gate_.all();
}

std::uint32_t ServedSemaphore::value() const {
  const std::lock_guard guard(mutex_);
  return static_cast<std::uint32_t>(value_);
}

void ServedEvent::set() {
  const std::lock_guard guard(mutex_);
  set_ = true;
  ++times_set_;
  gate_.all();
}

void ServedEvent::clear() {
  const std::lock_guard guard(mutex_);
  set_ = false;
}

bool ServedEvent::is_set() const {
  const std::lock_guard guard(mutex_);
  return set_;
}

bool ServedEvent::wait(Timeout timeout) {
  std::unique_lock lock(mutex_);
  const std::uint64_t before = times_set_;
  return gate_.wait(lock, timeout, [&] { return set_ || times_set_ != before; });
}

ServedBarrier::ServedBarrier(std::size_t parties, Function<void()> action)
    : parties_(parties), action_(std::move(action)) {
  check_parties(parties);
}

void ServedBarrier::end_round(Outcome outcome) noexcept {
  round_->outcome = outcome;
  broken_ = outcome == Outcome::broken;
  gate_.all();
}

void ServedBarrier::complete(std::unique_lock<std::mutex>& lock) {
  for (manager::Caller* const caller : round_->callers) {
    // One that has gone would be noticed in a moment anyhow; nobody goes on as if it were there.
    if (caller->gone()) {
      end_round(Outcome::broken);
      return;
    }
  }
  if (action_) {
    run_action(lock);
    // It may have called abort() or reset() of this barrier.
    if (round_->outcome != Outcome::none) return;
  }
  end_round(Outcome::complete);
}

/// Without the mutex: the action is the user's, and may call the barrier.
void ServedBarrier::run_action(std::unique_lock<std::mutex>& lock) {
  struct Acting {
    ServedBarrier& barrier;
    std::unique_lock<std::mutex>& lock;
    Acting(ServedBarrier& of, std::unique_lock<std::mutex>& held) : barrier(of), lock(held) {
      barrier.acting_ = true;
      lock.unlock();
    }
    Acting(const Acting&) = delete;
    Acting& operator=(const Acting&) = delete;
    ~Acting() {
      lock.lock();
      barrier.acting_ = false;
      barrier.gate_.all();
    }
  };
  const Acting acting(*this, lock);
  action_();
}

std::size_t ServedBarrier::wait(Timeout timeout) {
  const auto refuse = [](const char* why) {
    throw BrokenBarrier(std::string("waited at a Barrier that ") + why +
                        "; call reset() when all are ready to start again");
  };
  std::unique_lock lock(mutex_);
  // All of the round have come whose action runs: others are of the next one.
  gate_.wait(lock, std::nullopt, [&] { return !acting_; });
  if (broken_) refuse("is broken");
  if (round_->outcome != Outcome::none) round_ = std::make_shared<Round>();
  const std::shared_ptr<Round> round = round_;
  const std::size_t before = round->callers.size();
  round->callers.push_back(&manager::Caller::current());
  const auto is_over = [&] { return round->outcome != Outcome::none; };
  try {
    if (before + 1 == parties_) {
      complete(lock);
    } else if (!gate_.wait(lock, timeout, is_over) &&
               !(acting_ && gate_.wait(lock, std::nullopt, is_over))) {
      end_round(Outcome::broken);
      refuse("broke: a time-out passed");
    }
  } catch (...) {
    // The caller has gone, or the action threw.
    if (!is_over()) end_round(Outcome::broken);
    throw;
  }
  if (round->outcome == Outcome::reset) refuse("was reset");
  if (round->outcome == Outcome::broken) {
    refuse("broke: one of its parties has ended, gave up, or called abort()");
  }
  return before;
}

void ServedBarrier::reset() {
  const std::lock_guard guard(mutex_);
  if (round_->outcome == Outcome::none && !round_->callers.empty()) end_round(Outcome::reset);
  broken_ = false;
}

void ServedBarrier::abort() {
  const std::lock_guard guard(mutex_);
  if (round_->outcome == Outcome::none) {
    end_round(Outcome::broken);
  }
  broken_ = true;
}

std::size_t ServedBarrier::n_waiting() const {
  const std::lock_guard guard(mutex_);
  return round_->outcome == Outcome::none ? round_->callers.size() : 0;
}

bool ServedBarrier::broken() const {
  const std::lock_guard guard(mutex_);
  return broken_;
}

void throw_queue_shut(const char* asked) {
  throw ShutDown(
      "asked to " + std::string(asked) +
      " a queue of a manager, which was shut down and has no items; let those who use it end");
}

void throw_nothing_to_do() {
  throw ProcessError(
      "asked to count an item of a queue of a manager as done, but all that were put are done "
      "with; task_done() is called once for each item");
}

}  // namespace procession::detail
