#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "procession/detail/job_watch.hpp"
#include "procession/error.hpp"
#include "procession/future.hpp"
#include "procession/timeout.hpp"

namespace procession {

namespace detail {

template <class T>
inline constexpr bool kIsFuture = false;
template <class R>
inline constexpr bool kIsFuture<Future<R>> = true;

template <class R>
std::vector<JobPtr> jobs_of(const std::vector<Future<R>>& futures) {
  std::vector<JobPtr> jobs;
  jobs.reserve(futures.size());
  for (const Future<R>& future : futures) {
    jobs.push_back(JobAccess::job(future));
  }
  return jobs;
}

/// Of one that is done: whether it failed, and was not cancelled.
template <class R>
bool has_failed(const Future<R>& future) {
  return !future.cancelled() && future.exception() != nullptr;
}

}  // namespace detail

/// A range of Futures of one type.
template <class Range>
concept FutureRange =
    std::ranges::input_range<Range> && detail::kIsFuture<std::ranges::range_value_t<Range>>;

/// Futures in the order in which they end: what `as_completed` returns. Movable, not copyable. For
/// one thread at a time. Python: the iterator of `concurrent.futures.as_completed`.
template <class R>
class CompletedRange {
 public:
  /// Watches the futures, no longer than until the time-out passes, from now on.
  CompletedRange(std::vector<Future<R>> futures, Timeout timeout)
      : futures_(std::move(futures)), time_(timeout), watch_(detail::jobs_of(futures_)) {}

  /// The next one that is done. Throws `StopIteration` when there are no more, and `TimeoutError`,
  /// which says how many are not done, when the time-out passes first.
  Future<R> next() {
    advance();
    if (!current_) {
      throw StopIteration("the next future was asked for after the last one");
    }
    return *current_;
  }

  /// Goes through them once; each `++` is a `next()`.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;  ///< read once
    using difference_type = std::ptrdiff_t;            ///< as every iterator has one
    using value_type = Future<R>;                      ///< one that is done

    /// The future. Valid until the next `++`.
    value_type& operator*() const { return *range_->current_; }
    /// The next one.
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    /// The same.
    void operator++(int) { ++*this; }
    /// Whether there are no more.
    bool operator==(std::default_sentinel_t /*end*/) const { return !range_->current_; }

   private:
    friend class CompletedRange;
    explicit iterator(CompletedRange* range) : range_(range) {}
    CompletedRange* range_;
  };

  /// Waits for the first.
  iterator begin() {
    advance();
    return iterator(this);
  }
  /// Where there are no more.
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  void advance() {
    current_.reset();
    if (watch_.left() == 0) {
      return;
    }
    const std::optional<std::size_t> number = watch_.next(time_.left());
    if (!number) {
      detail::throw_unfinished(watch_.left(), futures_.size());
    }
    current_.emplace(futures_[*number]);
  }

  std::vector<Future<R>> futures_;
  detail::TimeLeft time_;
  detail::JobWatch watch_;
  std::optional<Future<R>> current_;
};

/// The futures in the order in which they end, one that is there several times once.
///
///     for (mp::Future<int>& future : mp::as_completed(futures)) std::cout << future.result();
///
/// They may be of several executors. The time-out is for all of them together, from now on; see
/// `CompletedRange::next`. Python: `concurrent.futures.as_completed`.
template <FutureRange Range>
auto as_completed(Range&& futures, Timeout timeout = {}) {
  using Each = std::ranges::range_value_t<Range>;
  std::vector<Each> kept;
  for (auto&& future : futures) {
    kept.push_back(future);
  }
  return CompletedRange<typename Each::value_type>(std::move(kept), timeout);
}

/// What `wait` waits for. Python: `FIRST_COMPLETED`, `FIRST_EXCEPTION`, `ALL_COMPLETED`.
enum class ReturnWhen {
  first_completed,  ///< one that is done
  first_exception,  ///< one that failed, cancelled ones not counted; where none does, all
  all_completed     ///< all
};

/// What `wait` returns.
template <class R>
struct WaitResult {
  std::vector<Future<R>> done;      ///< those that are, in the order in which they were given
  std::vector<Future<R>> not_done;  ///< the others; of each call one future
};

/// Waits for futures, of several executors if need be, until `when` is true or the time-out passes.
/// One that is there several times is waited for, and returned, once.
/// Throws `std::invalid_argument` where `when` is a number that names none of them. Python:
/// `concurrent.futures.wait`.
template <FutureRange Range>
auto wait(const Range& futures, ReturnWhen when = ReturnWhen::all_completed, Timeout timeout = {}) {
  using Each = std::ranges::range_value_t<Range>;
  const std::vector<Each> kept(std::ranges::begin(futures), std::ranges::end(futures));
  detail::check_return_when(static_cast<int>(when), static_cast<int>(ReturnWhen::all_completed));
  const detail::TimeLeft time(timeout);
  const std::vector<detail::JobPtr> jobs = detail::jobs_of(kept);
  detail::JobWatch watch(jobs);
  bool enough = false;
  while (!enough && watch.left() != 0) {
    const std::optional<std::size_t> number = watch.next(time.left());
    if (!number) {
      break;
    }
    enough = when == ReturnWhen::first_completed ||
             (when == ReturnWhen::first_exception && detail::has_failed(kept[*number]));
  }
  WaitResult<typename Each::value_type> result;
  for (const std::size_t number : detail::first_of_each(jobs)) {
    (kept[number].done() ? result.done : result.not_done).push_back(kept[number]);
  }
  return result;
}

}  // namespace procession
