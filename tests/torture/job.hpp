#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "outcome.hpp"

// What is given to a pool in one go, and whether it came to its right end.
namespace torture_test {

/// How often each end was met in a run.
struct Counts {
  std::atomic<std::uint64_t> rounds{0};
  std::atomic<std::uint64_t> tasks{0};
  std::atomic<std::uint64_t> ends[6] = {};  ///< by End
  std::atomic<std::uint64_t> kills{0};
  std::atomic<std::uint64_t> callbacks{0};

  void count(End end, std::uint64_t times = 1) { ends[static_cast<std::size_t>(end)] += times; }
};

/// What was done to a pool, and how often.
struct Deeds {
  std::atomic<bool> cancels{false};        ///< the pool's end cancels what has not ended
  std::atomic<std::uint64_t> murdered{0};  ///< tasks that were lost to kills
};

enum class Form : std::uint8_t { single, map, stream };

struct Job {
  Form form = Form::single;
  std::vector<Work> works;
  mp::MapOptions options;
  bool ordered = false;    ///< of a stream
  bool forsaken = false;   ///< of a stream that was not read to its end
  bool has_calls = false;  ///< callbacks were asked for

  std::function<bool()> cancel;
  std::function<bool()> ready;
  std::function<std::vector<Answer>()> get;

  std::atomic<bool> stopped{false};  ///< cancel() said so
  std::atomic<int> value_calls{0};
  std::atomic<int> error_calls{0};
  std::vector<Outcome> outcomes;  ///< of a stream in the order of its results, else one

  /// Waits for a single call or a map.
  void gather() {
    try {
      const std::vector<Answer> answers = get();
      outcomes.push_back({End::value, std::nullopt, 0, {}});
      if (answers.size() != works.size()) outcomes[0] = {End::other, 0, 0, "of another size"};
      for (std::size_t i = 0; i < answers.size() && i < works.size(); ++i) {
        if (answers[i] != expected_answer(works[i])) outcomes[0] = {End::other, i, 0, "damaged"};
      }
    } catch (...) {
      outcomes.push_back(outcome_of(std::current_exception()));
    }
  }
};

/// Says what is wrong with each job of a pool that has ended.
class Judge {
 public:
  Judge(const Ledger& ledger, Deeds& deeds, Counts& counts)
      : ledger_(ledger), deeds_(deeds), counts_(counts) {}

  void judge(Job& job) {
    job_ = &job;
    for (Outcome& outcome : job.outcomes)
      find_element(outcome);
    counts_.tasks += job.works.size();
    if (job.form == Form::stream) {
      judge_stream();
    } else {
      judge_whole();
    }
    for (const Work& work : job.works) {
      const std::uint32_t starts = ledger_.starts[work.index];
      if (starts > 1 + job.options.retries) complain(work, {}, "began too often");
    }
  }

  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  /// What a thread threw arrives as it was thrown, with no word on which element it was of.
  void find_element(Outcome& outcome) const {
    if (outcome.end != End::own || outcome.element) return;
    for (std::size_t i = 0; i < job_->works.size(); ++i) {
      if (own_text(job_->works[i]) == outcome.text) outcome.element = i;
    }
  }

  void judge_whole() {
    if (job_->outcomes.size() != 1 || !job_->ready()) {
      return complain(job_->works[0], {}, "did not end once");
    }
    const Outcome& outcome = job_->outcomes[0];
    counts_.count(outcome.end, outcome.end == End::value ? job_->works.size() : 1);
    if (job_->stopped && outcome.end != End::cancelled) {
      complain(job_->works[0], outcome, "was cancelled");
    }
    judge_calls(outcome);
    if (outcome.end == End::value) {
      for (const Work& work : job_->works)
        judge_one(work, outcome);
      return;
    }
    if (outcome.end == End::cancelled) return judge_one(job_->works[0], outcome);
    const std::size_t element = outcome.element.value_or(job_->works.size());
    if (element >= job_->works.size()) {
      return complain(job_->works[0], outcome, "is of no element");
    }
    judge_one(job_->works[element], outcome);
    // In a pool that was terminated they may not have ended.
    for (std::size_t i = 0; i < element && !deeds_.cancels; ++i) {
      if (!is_good(job_->works[i].kind)) complain(job_->works[i], outcome, "failed before");
    }
  }

  void judge_calls(const Outcome& outcome) {
    if (!job_->has_calls) return;
    const int values = outcome.end == End::value ? 1 : 0;
    if (job_->value_calls != values || job_->error_calls != 1 - values) {
      complain(job_->works[0], outcome,
               "told " + std::to_string(job_->value_calls) + " and " +
                   std::to_string(job_->error_calls) + " callbacks");
    }
    ++counts_.callbacks;
  }

  void judge_stream() {
    std::set<std::size_t> seen;
    for (std::size_t i = 0; i < job_->outcomes.size(); ++i) {
      const Outcome& outcome = job_->outcomes[i];
      counts_.count(outcome.end);
      if (outcome.end == End::cancelled) {
        return judge_one(job_->works[0], outcome);  // of all the rest
      }
      const std::size_t element = job_->ordered ? i : outcome.element.value_or(job_->works.size());
      if (element >= job_->works.size() || !seen.insert(element).second) {
        return complain(job_->works[0], outcome, "is of no element, or came twice");
      }
      judge_one(job_->works[element], outcome);
      if (job_->ordered && outcome.element.value_or(i) != i) {
        complain(job_->works[i], outcome, "is out of order");
      }
    }
    if (!job_->forsaken && job_->outcomes.size() != job_->works.size()) {
      complain(job_->works[0], {}, "stream ended early");
    }
  }

  void judge_one(const Work& work, const Outcome& outcome) {
    if (outcome.end == End::cancelled) {
      if (!job_->stopped && !deeds_.cancels) complain(work, outcome, "was never cancelled");
      return;
    }
    if (outcome.end == End::value && ledger_.ends[work.index] == 0) {
      complain(work, outcome, "did not come to its end");
    }
    if (fits(work, outcome)) return;
    if (is_murder(outcome)) {
      ++deeds_.murdered;
    } else if (work.kind == Kind::nesting && starved_of_servers(outcome)) {
      deeds_.murdered += kServers;
    } else if (outcome.end == End::timeout && job_->options.timeout) {
      // Slow, for want of a processor.
    } else {
      complain(work, outcome, "ended wrongly");
    }
  }

  void complain(const Work& work, const Outcome& outcome, const std::string& what) {
    complaints_.push_back("task " + std::to_string(work.index) + " of kind " +
                          std::to_string(static_cast<int>(work.kind)) + " in a job of form " +
                          std::to_string(static_cast<int>(job_->form)) + " and " +
                          std::to_string(job_->works.size()) + " elements, begun " +
                          std::to_string(ledger_.starts[work.index]) + " times: " + what + "; " +
                          to_string(outcome));
  }

  const Ledger& ledger_;
  Deeds& deeds_;
  Counts& counts_;
  Job* job_ = nullptr;
  std::vector<std::string> complaints_;
};

}  // namespace torture_test
