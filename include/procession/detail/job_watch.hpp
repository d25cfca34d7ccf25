#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "procession/detail/pool_core.hpp"
#include "procession/timeout.hpp"

namespace procession::detail {

/// Tells which of several jobs end, in the order in which they do. For one thread at a time.
class JobWatch {
 public:
  /// A job that is there several times counts once.
  explicit JobWatch(const std::vector<JobPtr>& jobs);

  /// The number of the next job that has ended; empty when the time-out passes first, and when all
  /// have been told. The time counts from here.
  std::optional<std::size_t> next(Timeout timeout);
  /// How many have not been told.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  struct Ends;
  std::shared_ptr<Ends> ends_;
  std::size_t left_ = 0;
};

/// The numbers of the jobs, without those that are there a second time.
std::vector<std::size_t> first_of_each(const std::vector<JobPtr>& jobs);

/// What is left of a time-out that began at `start`.
class TimeLeft {
 public:
  explicit TimeLeft(Timeout timeout);
  [[nodiscard]] Timeout left() const;

 private:
  std::optional<std::chrono::steady_clock::time_point> end_;
};

/// Throws std::invalid_argument for a ReturnWhen that is not one of 0 to `most`.
void check_return_when(int when, int most);
[[noreturn]] void throw_unfinished(std::size_t left, std::size_t total);

}  // namespace procession::detail
