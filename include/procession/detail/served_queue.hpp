#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <utility>

#include "procession/detail/queue_core.hpp"
#include "procession/detail/served.hpp"
#include "procession/detail/served_gate.hpp"

namespace procession::detail {

[[noreturn]] void throw_queue_shut(const char* asked);
[[noreturn]] void throw_nothing_to_do();

/// What a QueueProxy is a proxy of.
template <class T>
class ServedQueue {
 public:
  using Initial = std::size_t;

  /// 0: without a bound.
  explicit ServedQueue(std::size_t maxsize = 0) : maxsize_(maxsize) {}

  // Items are moved and destroyed without the mutex: that is the user's code.
  void put(T item, Timeout timeout) {
    std::list<T> one;
    one.push_back(std::move(item));
    std::unique_lock lock(mutex_);
    if (!room_.wait(lock, timeout, [&] { return shut_ || !is_full(); })) throw_queue_full();
    if (shut_) throw_queue_shut("put an item into");
    items_.splice(items_.end(), one);
    ++unfinished_;
    there_.one();
  }
  T get(Timeout timeout) {
    std::list<T> one;
    std::unique_lock lock(mutex_);
    if (!there_.wait(lock, timeout, [&] { return shut_ || !items_.empty(); })) throw_queue_empty();
    if (items_.empty()) throw_queue_shut("take an item off");
    one.splice(one.end(), items_, items_.begin());
    room_.one();
    lock.unlock();
    return std::move(one.front());
  }
  std::size_t size() const {
    const std::lock_guard guard(mutex_);
    return items_.size();
  }
  bool full() const {
    const std::lock_guard guard(mutex_);
    return is_full();
  }
  void shutdown() {
    const CallGuard guard(mutex_);
    shut_ = true;
    there_.all();
    room_.all();
  }
  void task_done() {
    const CallGuard guard(mutex_);
    if (unfinished_ == 0) throw_nothing_to_do();
    if (--unfinished_ == 0) done_.all();
  }
  bool join(Timeout timeout) {
    std::unique_lock lock(mutex_);
    return done_.wait(lock, timeout, [&] { return unfinished_ == 0; });
  }

 private:
  bool is_full() const { return maxsize_ != 0 && items_.size() >= maxsize_; }

  mutable std::mutex mutex_;
  Gate there_;
  Gate room_;
  Gate done_;
  std::list<T> items_;
  std::size_t maxsize_;
  std::size_t unfinished_ = 0;
  bool shut_ = false;
};

}  // namespace procession::detail

template <class T>
inline constexpr bool procession::concurrent_calls<procession::detail::ServedQueue<T>> = true;
