#include "procession/detail/job_watch.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_set>

#include "platform/deadline.hpp"
#include "procession/error.hpp"

namespace procession::detail {

struct JobWatch::Ends {
  std::mutex mutex;
  std::condition_variable more;
  std::deque<std::size_t> numbers;
};

JobWatch::JobWatch(const std::vector<JobPtr>& jobs) : ends_(std::make_shared<Ends>()) {
  std::unordered_set<const Job*> seen;
  for (std::size_t number = 0; number < jobs.size(); ++number) {
    if (seen.insert(jobs[number].get()).second) {
      ++left_;
      on_job_end(jobs[number], [ends = ends_, number] {
        const std::lock_guard guard(ends->mutex);
        ends->numbers.push_back(number);
        ends->more.notify_one();
      });
    }
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
  static_cast<void>(platform::Deadline(timeout));  // refuses a negative one
  const auto now = std::chrono::steady_clock::now();
  // A time-out past the clock's range is one that never passes.
  if (timeout && *timeout < std::chrono::steady_clock::time_point::max() - now) {
    end_ = now + *timeout;
  }
}

Timeout TimeLeft::left() const {
  return end_ ? Timeout(
                    std::max(Duration::zero(), Duration(*end_ - std::chrono::steady_clock::now())))
              : Timeout();
}

void throw_unfinished(std::size_t left, std::size_t total) {
  throw TimeoutError(std::to_string(left) + " of " + std::to_string(total) +
                     " calls had not ended when the time-out of as_completed passed; they go on: "
                     "ask again, or give them longer");
}

}  // namespace procession::detail
