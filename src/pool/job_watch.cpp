#include "procession/detail/job_watch.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_set>

#include "platform/deadline.hpp"
#include "platform/own_mutex.hpp"
#include "procession/error.hpp"

namespace procession::detail {

struct JobWatch::Ends {
  platform::OwnMutex mutex;
  std::condition_variable_any more;
  std::deque<std::size_t> numbers;
};

std::vector<std::size_t> first_of_each(const std::vector<JobPtr>& jobs) {
  std::unordered_set<const Job*> seen;
  std::vector<std::size_t> numbers;
  for (std::size_t number = 0; number < jobs.size(); ++number) {
    if (seen.insert(jobs[number].get()).second) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

JobWatch::JobWatch(const std::vector<JobPtr>& jobs) : ends_(std::make_shared<Ends>()) {
  for (const std::size_t number : first_of_each(jobs)) {
    ++left_;
    on_job_end(jobs[number], [ends = ends_, number] {
      const std::lock_guard guard(ends->mutex);
      ends->numbers.push_back(number);
      ends->more.notify_one();
    });
  }
}

std::optional<std::size_t> JobWatch::next(Timeout timeout) {
  const platform::Deadline deadline(timeout);
  std::unique_lock guard(ends_->mutex);
  while (left_ != 0 && ends_->numbers.empty()) {
    if (deadline.passed()) {
      return std::nullopt;
    }
    if (const Timeout time = deadline.left()) {
      ends_->more.wait_for(guard, *time);
    } else {
      ends_->more.wait(guard);
    }
  }
  if (left_ == 0) {
    return std::nullopt;
  }
  --left_;
  const std::size_t number = ends_->numbers.front();
  ends_->numbers.pop_front();
  return number;
}

TimeLeft::TimeLeft(Timeout timeout) {
  // A time-out past the clock's range is one that never passes.
  const auto end = platform::moment_in(timeout.value_or(Duration::max()));
  if (end != std::chrono::steady_clock::time_point::max()) {
    end_ = end;
  }
}

Timeout TimeLeft::left() const {
  return end_ ? Timeout(
                    std::max(Duration::zero(), Duration(*end_ - std::chrono::steady_clock::now())))
              : Timeout();
}

void check_return_when(int when, int most) {
  if (when < 0 || when > most) {
    throw std::invalid_argument("asked to wait for futures by ReturnWhen " + std::to_string(when) +
                                ", and there is none of that number; name first_completed, "
                                "first_exception or all_completed");
  }
}

void throw_unfinished(std::size_t left, std::size_t total) {
  throw TimeoutError(std::to_string(left) + " of " + std::to_string(total) +
                     " calls had not ended when the time-out of as_completed passed; they go on: "
                     "ask again, or give them longer");
}

}  // namespace procession::detail
