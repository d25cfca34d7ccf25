#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "procession/detail/pool_core.hpp"
#include "procession/detail/task_results.hpp"

namespace procession::detail {

/// Stands for a callback that was not given.
struct NoCallback {
  template <class... T>
  void operator()(T&&... /*unused*/) const {}
};

/// What to call at the end of a job whose result is an R: `on_value` with the result, or `on_error`
/// with the failure, which may be that the result cannot be decoded.
template <class R, class OnValue, class OnError>
std::function<void()> job_callback(const JobPtr& job, OnValue on_value, OnError on_error) {
  struct State {
    JobPtr job;
    OnValue on_value;
    OnError on_error;

    void operator()() {
      if constexpr (std::is_void_v<R>) {
        if (const std::exception_ptr failure = job_failure(job)) {
          std::invoke(on_error, failure);
        } else {
          std::invoke(on_value);
        }
      } else {
        std::exception_ptr failure;
        std::optional<R> result;
        try {
          finish_job(job, Duration::zero());
          result.emplace(TaskResults<R>::decode(job));
        } catch (...) {
          failure = std::current_exception();
        }
        if (failure != nullptr) {
          std::invoke(on_error, failure);
        } else {
          std::invoke(on_value, *std::move(result));
        }
      }
    }
  };
  // Callbacks need not be copyable, as a std::function has to be.
  auto state = std::make_shared<State>(State{job, std::move(on_value), std::move(on_error)});
  return [state = std::move(state)] { (*state)(); };
}

}  // namespace procession::detail
