#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "manager/caller.hpp"
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
  const CallGuard guard(mutex_);
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
  const CallGuard guard(mutex_);
  set_ = true;
  ++times_set_;
  gate_.all();
}

void ServedEvent::clear() {
  const CallGuard guard(mutex_);
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
