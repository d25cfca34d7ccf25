#include "pool/worker_set.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "heap/block_encoder.hpp"
#include "platform/own_mutex.hpp"
#include "pool/layout.hpp"
#include "pool/supervisor.hpp"
#include "pool/worker.hpp"
#include "process/child.hpp"
#include "process/children.hpp"
#include "process/grace_period.hpp"
#include "process/identity.hpp"
#include "procession/error.hpp"

namespace procession::pool {

std::string exit_text(int exitcode) {
  return exitcode == WorkerLost::kUnknownExit ? "an exit code that is not known"
                                              : "exit code " + std::to_string(exitcode);
}

std::shared_ptr<detail::Child> WorkerSet::make_worker(heap::Offset pool,
                                                      std::uint32_t worker_slot) {
  heap::BlockEncoder encoder(256, heap::Region::library);
  detail::encode_process_call(encoder, &work, pool, worker_slot);
  detail::ChildPlan plan;
  plan.id_path = process::next_id_path();
  plan.name = "PoolWorker-" + std::to_string(++started_);
  plan.tied = true;
  plan.method = method_;
  plan.keeps = pool;
  detail::EncodedCall call;
  call.size = encoder.size();
  call.block = encoder.take();
  if (method_ != StartMethod::thread) {
    call.descriptors.emplace_back();
    auto& taken = heap::at<Shared>(pool)->worker_slots[worker_slot].stderr_taken;
    stderrs_[worker_slot] = relay_stderr(call.descriptors.back(), taken);
    call.own_stderr = true;
  }
  return detail::Child::make(std::move(plan), std::move(call));
}

void WorkerSet::fill(heap::Offset pool) {
  const std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<detail::Child>> starting;
  std::vector<std::uint32_t> worker_slots;
  std::exception_ptr failure;
  for (std::uint32_t worker_slot = 0;
       worker_slot < workers_.size() && filling_ && failure == nullptr; ++worker_slot) {
    if (workers_[worker_slot] != nullptr) {
      continue;
    }
    try {
      starting.push_back(make_worker(pool, worker_slot));
      worker_slots.push_back(worker_slot);
    } catch (...) {
      // There is no room for all: those before it are started.
      failure = std::current_exception();
      stderrs_[worker_slot] = nullptr;
    }
  }
  try {
    detail::Child::start_all(starting);
  } catch (...) {
    failure = std::current_exception();
  }
  for (std::size_t i = 0; i < starting.size(); ++i) {
    if (!starting[i]->started_here()) {
      stderrs_[worker_slots[i]] = nullptr;
      continue;
    }
    workers_[worker_slots[i]] = starting[i];
    try {
      watch_worker(pool_number_, worker_slots[i], starting[i]->sentinel());
    } catch (...) {
      failure = std::current_exception();
      if (!starting[i]->is_thread()) {
        // The end of a worker that nobody watches would not be noticed.
        workers_[worker_slots[i]] = nullptr;
        if (process::attempt([&] { starting[i]->signal(platform::Signal::kill); })) {
          starting[i]->join({});
          process::unregister_child(*starting[i]);
        }
      }
    }
  }
  if (failure != nullptr) {
    std::rethrow_exception(failure);
  }
}

void WorkerSet::stop_filling() {
  const std::lock_guard guard(mutex_);
  filling_ = false;
}

std::optional<Ended> WorkerSet::take_ended(std::uint32_t worker_slot) {
  const std::lock_guard guard(mutex_);
  const std::shared_ptr<detail::Child> worker = workers_[worker_slot];
  if (worker == nullptr || !worker->join(Duration::zero())) {
    return std::nullopt;
  }
  workers_[worker_slot] = nullptr;
  unwatch_worker(worker->sentinel());
  process::unregister_child(*worker);
  const int exitcode = worker->exitcode().value_or(WorkerLost::kUnknownExit);
  Ended ended{
      worker->pid(), worker->exit_is_unknown() ? WorkerLost::kUnknownExit : exitcode, {}, {}};
  ended.over_memory = std::exchange(over_memory_[worker_slot], {});
  if (const auto written = std::exchange(stderrs_[worker_slot], nullptr)) {
    const std::string last = last_lines(*written);
    if (ended.exitcode != 0) {
      ended.last_lines = last;
    }
  }
  return ended;
}

std::vector<int> WorkerSet::pids() {
  std::vector<int> all;
  for (const auto& worker : living()) {
    all.push_back(worker->pid());
  }
  return all;
}

bool WorkerSet::wants_workers() {
  const std::lock_guard guard(mutex_);
  return filling_ && std::find(workers_.begin(), workers_.end(), nullptr) != workers_.end();
}

std::vector<std::shared_ptr<detail::Child>> WorkerSet::living() {
  const std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<detail::Child>> all;
  for (const auto& worker : workers_) {
    if (worker != nullptr) {
      all.push_back(worker);
    }
  }
  return all;
}

std::vector<std::shared_ptr<detail::Child>> WorkerSet::unwatched() {
  auto all = living();
  for (const auto& worker : all) {
    unwatch_worker(worker->sentinel());
  }
  return all;
}

bool WorkerSet::kill(std::uint32_t worker_slot, std::string over_memory) {
  const std::lock_guard guard(mutex_);
  if (workers_[worker_slot] == nullptr) {
    return true;
  }
  over_memory_[worker_slot] = std::move(over_memory);
  return process::attempt([&] { workers_[worker_slot]->signal(platform::Signal::kill); });
}

int WorkerSet::pid(std::uint32_t worker_slot) {
  const std::lock_guard guard(mutex_);
  return workers_[worker_slot] != nullptr ? workers_[worker_slot]->pid() : 0;
}

void WorkerSet::terminate() noexcept {
  try {
    stop_filling();
    if (method_ != StartMethod::thread) {
      process::terminate_all(unwatched());
    }
  } catch (...) {
    // There is no memory for it: they are killed when the grace is over.
  }
}

void WorkerSet::end(process::GracePeriod& grace) noexcept {
  try {
    if (method_ == StartMethod::thread || process::join_terminated(living(), grace)) {
      join();
    }
  } catch (...) {
    // A worker that cannot be signalled or joined has ended.
  }
}

void WorkerSet::join() {
  auto all = unwatched();
  // The last one first: when it has ended, the others have, as a rule, and nobody sleeps for them.
  std::reverse(all.begin(), all.end());
  for (const auto& worker : all) {
    worker->join({});
    process::unregister_child(*worker);
  }
  if (method_ != StartMethod::thread) {
    // What they wrote last is not lost at the end of this process.
    flush_stderr_relay();
  }
}

void WorkerSet::disown() noexcept {
  new (&mutex_) platform::OwnMutex;  // a thread of the parent's may have held it
  for (auto& worker : workers_) {
    worker = nullptr;
  }
  for (auto& written : stderrs_) {
    written = nullptr;
  }
  filling_ = false;
}

}  // namespace procession::pool
