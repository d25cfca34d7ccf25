#pragma once

#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "job.hpp"

// Pools and executors behind one face.
namespace torture_test {

/// How the life of a pool may end.
enum class Finale : std::uint8_t { join, destroy, terminate, kill, cancel_waiting };

class Subject {
 public:
  Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  virtual ~Subject() = default;

  /// Throws `ProcessError` when the pool takes no more.
  virtual void submit(const Ledger& ledger, Job& job) = 0;
  /// Makes a stream's results, and reads at most so many.
  virtual void stream(const Ledger& ledger, Job& job, std::size_t most) = 0;
  virtual void close() = 0;
  /// Of these, those that do not wait for tasks.
  virtual void end(Finale how) = 0;
};

template <class PoolKind>
class SubjectOf final : public Subject {
 public:
  explicit SubjectOf(mp::PoolOptions options) : pool_(std::move(options)) {}

  void submit(const Ledger& ledger, Job& job) override {
    if constexpr (kIsExecutor) {
      const auto future = pool_.submit(perform, ledger, job.works[0]);
      if (job.has_calls) {
        future.add_done_callback([&job](const mp::Future<Answer>& done) {
          ++(!done.cancelled() && done.exception() == nullptr ? job.value_calls : job.error_calls);
        });
      }
      keep(
          job, future, [future] { return future.done(); },
          [future] { return std::vector{future.result()}; });
    } else if (job.form == Form::single) {
      auto result = pool_.apply_async(perform, ledger, job.works[0]);
      listen(job, result);
      keep(
          job, result, [result] { return result.ready(); },
          [result] { return std::vector{result.get()}; });
    } else {
      auto result = pool_.map_async(mp::bind(perform, ledger), job.works, job.options);
      listen(job, result);
      keep(job, result, [result] { return result.ready(); }, [result] { return result.get(); });
    }
  }

  void stream(const Ledger& ledger, Job& job, std::size_t most) override {
    auto results = [&] {
      if constexpr (kIsExecutor) {
        job.ordered = true;
        return pool_.map(mp::bind(perform, ledger), job.works, job.options);
      } else {
        return job.ordered
                   ? pool_.imap(mp::bind(perform, ledger), job.works, job.options)
                   : pool_.imap_unordered(mp::bind(perform, ledger), job.works, job.options);
      }
    }();
    const std::uint32_t first = job.works[0].index;
    while (job.outcomes.size() < most) {
      try {
        const Answer answer = results.next();
        const std::size_t element = answer.index - first;
        job.outcomes.push_back({End::value, element, 0, {}});
        if (element >= job.works.size() || answer != expected_answer(job.works[element])) {
          job.outcomes.back() = {End::other, element, 0, "damaged"};
        }
      } catch (const mp::StopIteration&) {
        return;
      } catch (...) {
        job.outcomes.push_back(outcome_of(std::current_exception()));
        if (job.outcomes.back().end == End::cancelled) return;
      }
    }
    job.forsaken = job.outcomes.size() < job.works.size();
  }

  void close() override {
    if constexpr (kIsExecutor) {
      pool_.shutdown(false);
    } else {
      pool_.close();
    }
  }

  void end(Finale how) override {
    if (how == Finale::cancel_waiting) {
      if constexpr (kIsExecutor) return pool_.shutdown(false, true);
    } else if (how == Finale::kill) {
      if constexpr (std::is_same_v<PoolKind, mp::ProcessPoolExecutor>) return pool_.kill_workers();
    }
    if constexpr (std::is_same_v<PoolKind, mp::ProcessPoolExecutor>) {
      pool_.terminate_workers();
    } else if constexpr (!kIsExecutor) {
      pool_.terminate();
    } else {
      pool_.shutdown(false, true);
    }
  }

  static constexpr bool kIsExecutor = requires(PoolKind& pool) { pool.shutdown(); };

 private:
  template <class Result>
  static void listen(Job& job, Result& result) {
    if (!job.has_calls) return;
    result.then([&job](const auto& /*value*/) { ++job.value_calls; },
                [&job](const std::exception_ptr& /*error*/) { ++job.error_calls; });
  }
  template <class Result, class Ready, class Get>
  static void keep(Job& job, const Result& result, Ready ready, Get get) {
    job.cancel = [result] { return result.cancel(); };
    job.ready = std::move(ready);
    job.get = std::move(get);
  }

  PoolKind pool_;
};

}  // namespace torture_test
