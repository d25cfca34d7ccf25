#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "subject.hpp"

namespace torture_test {

/// One pool or executor, threads that give it jobs, and one that cancels some of them and may end
/// the pool meanwhile.
class Unit {
 public:
  Unit(std::uint64_t seed, mp::StartMethod method) : random_(seed) {
    ledger_.starts = mp::Array<std::uint32_t>(Ledger::kRoom);
    ledger_.ends = mp::Array<std::uint32_t>(Ledger::kRoom);
    mp::PoolOptions options{.processes = 1 + below(random_, 4), .start_method = method};
    mood_.on_threads = method == mp::StartMethod::thread;
    mood_.calm = below(random_, 4) == 0;
    if (below(random_, 4) == 0) options.max_tasks_per_child = 1 + below(random_, 20);
    if (below(random_, 5) == 0) options.initializer = [] {};
    if (!mood_.on_threads && below(random_, 3) == 0) {
      options.max_memory_per_child = kMemoryLimit;
      mood_.limits_memory = true;
    }
    executor_ = below(random_, 3) == 0;
    subject_ = make_subject(std::move(options));
    early_ = below(random_, 3) == 0;
    const std::uint64_t submitters = 1 + below(random_, 3);
    for (std::uint64_t i = 0; i < submitters; ++i)
      submitters_.emplace_back([this, own = Random(random_())]() mutable { submit_jobs(own); });
    disturber_ = std::thread([this, own = Random(random_())]() mutable { disturb(own); });
  }

  /// Waits until all jobs have been given and had, and ends the pool in one way or another.
  void finish() {
    for (std::thread& thread : submitters_)
      thread.join();
    over_ = true;
    disturber_.join();
    finale(static_cast<Finale>(below(random_, 5)));
    subject_.reset();
  }

  void judge(Counts& counts) {
    Judge judge(ledger_, deeds_, counts);
    for (const std::unique_ptr<Job>& job : jobs_) {
      if (!job->outcomes.empty() || job->form == Form::stream) {
        judge.judge(*job);
      } else if (!job->ready()) {
        complaints_.emplace_back("a job had not ended when its pool had");
      } else {
        job->gather();
        judge.judge(*job);
      }
    }
    complaints_.insert(complaints_.end(), judge.complaints().begin(), judge.complaints().end());
  }

  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  [[nodiscard]] std::uint64_t murdered() const { return deeds_.murdered; }

 private:
  std::unique_ptr<Subject> make_subject(mp::PoolOptions options) const {
    if (executor_ && mood_.on_threads) {
      return std::make_unique<SubjectOf<mp::ThreadPoolExecutor>>(std::move(options));
    }
    if (executor_) return std::make_unique<SubjectOf<mp::ProcessPoolExecutor>>(std::move(options));
    if (mood_.on_threads) return std::make_unique<SubjectOf<mp::ThreadPool>>(std::move(options));
    return std::make_unique<SubjectOf<mp::Pool>>(std::move(options));
  }

  std::unique_ptr<Job> make_job(Random& random) {
    auto job = std::make_unique<Job>();
    Mood mood = mood_;
    job->form = static_cast<Form>(below(random, executor_ ? 2 : 3));
    if (executor_ && job->form == Form::map) job->form = Form::stream;
    if (job->form != Form::single) {
      if (below(random, 2) == 0) {
        job->options.timeout = mp::kSanitized ? 2s : 200ms;
        mood.timed = true;
      }
      job->options.chunksize = below(random, 2) == 0 ? 0 : 1 + below(random, 20);
      job->options.retries = below(random, 3) == 0 ? 2 : 0;
      job->options.buffersize = below(random, 2) == 0 ? 0 : 1 + below(random, 50);
    }
    job->ordered = below(random, 2) == 0;
    job->has_calls = job->form != Form::stream && below(random, 2) == 0;
    const auto count = static_cast<std::uint32_t>(job->form == Form::single ? 1
                                                  : below(random, 6) == 0   ? 1 + below(random, 400)
                                                                          : 1 + below(random, 40));
    const std::uint32_t first = next_index_.fetch_add(count);
    for (std::uint32_t i = 0; i < count; ++i)
      job->works.push_back(random_work(random, mood, first + i));
    if (job->form == Form::single && !mood_.calm && below(random, 30) == 0) {
      job->works[0].kind = Kind::hanging;
      job->works[0].amount = 20;
    }
    return job;
  }

  void submit_jobs(Random& random) {
    std::vector<Job*> open;
    for (auto left = 1 + below(random, 12); left > 0; --left) {
      std::unique_ptr<Job> job = make_job(random);
      Job& given = *job;
      try {
        if (job->form == Form::stream) {
          const bool forsakes = below(random, 5) == 0;
          subject_->stream(ledger_, given,
                           forsakes ? below(random, job->works.size()) : job->works.size() + 1);
        } else {
          subject_->submit(ledger_, given);
          open.push_back(&given);
        }
      } catch (const std::exception& error) {
        const bool refused = dynamic_cast<const mp::ProcessError*>(&error) != nullptr && ended_;
        const std::lock_guard guard(mutex_);
        if (!refused) complaints_.push_back("a job was refused: " + std::string(error.what()));
        break;
      }
      {
        const std::lock_guard guard(mutex_);
        jobs_.push_back(std::move(job));
      }
      if (below(random, 3) == 0) gather_all(open, random);
      if (below(random, 4) == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(below(random, 3000)));
    }
    if (below(random, 3) != 0) gather_all(open, random);
    for (Job* const job : open) {
      if (job->works[0].kind == Kind::hanging && !job->options.timeout) stop(*job);
    }
  }

  static void gather_all(std::vector<Job*>& jobs, Random& random) {
    for (Job* const job : jobs) {
      if (job->works[0].kind == Kind::hanging && !job->options.timeout) {
        std::this_thread::sleep_for(std::chrono::microseconds(below(random, 10'000)));
        stop(*job);
      }
      job->gather();
    }
    jobs.clear();
  }

  static void stop(Job& job) {
    if (job.cancel()) job.stopped = true;
  }

  void disturb(Random& random) {
    auto until_end = below(random, 40);
    while (!over_) {
      std::this_thread::sleep_for(std::chrono::microseconds(below(random, 5000)));
      if (until_end-- == 0 && early_) {
        ended_ = true;
        below(random, 2) == 0 ? subject_->close() : finale(static_cast<Finale>(below(random, 5)));
      }
      const std::lock_guard guard(mutex_);
      if (jobs_.empty() || below(random, 3) != 0) continue;
      Job& job = *jobs_[below(random, jobs_.size())];
      if (job.form != Form::stream) stop(job);
    }
  }

  void finale(Finale how) {
    if (how == Finale::join) return subject_->close();
    deeds_.cancels = true;  // destruction of a pool that is open does so too
    if (how != Finale::destroy) subject_->end(how);
  }

  Random random_;
  Mood mood_;
  bool executor_ = false;
  bool early_ = false;
  Ledger ledger_;
  Deeds deeds_;
  std::unique_ptr<Subject> subject_;
  std::atomic<std::uint32_t> next_index_{0};
  std::atomic<bool> over_{false};
  std::atomic<bool> ended_{false};  ///< jobs may be refused

  std::mutex mutex_;
  std::deque<std::unique_ptr<Job>> jobs_;
  std::vector<std::string> complaints_;
  std::vector<std::thread> submitters_;
  std::thread disturber_;
};

}  // namespace torture_test
