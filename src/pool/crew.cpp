#include "pool/crew.hpp"

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

std::shared_ptr<detail::Child> Crew::hire(heap::Offset pool, std::uint32_t seat) {
  heap::BlockEncoder encoder(256, heap::Region::library);
  detail::encode_process_call(encoder, &work, pool, seat);
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
    auto& taken = heap::at<Shared>(pool)->seats[seat].stderr_taken;
    stderrs_[seat] = relay_stderr(call.descriptors.back(), taken);
    call.own_stderr = true;
  }
  return detail::Child::make(std::move(plan), std::move(call));
}

void Crew::fill(heap::Offset pool) {
  const std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<detail::Child>> hired;
  std::vector<std::uint32_t> seats;
  std::exception_ptr failure;
  for (std::uint32_t seat = 0; seat < workers_.size() && filling_ && failure == nullptr; ++seat) {
    if (workers_[seat] != nullptr) {
      continue;
    }
    try {
      hired.push_back(hire(pool, seat));
      seats.push_back(seat);
    } catch (...) {
      // There is no room for all: those before it are started.
      failure = std::current_exception();
      stderrs_[seat] = nullptr;
    }
  }
  try {
    detail::Child::start_all(hired);
  } catch (...) {
    failure = std::current_exception();
  }
  for (std::size_t i = 0; i < hired.size(); ++i) {
    if (!hired[i]->started_here()) {
      stderrs_[seats[i]] = nullptr;
      continue;
    }
    workers_[seats[i]] = hired[i];
    try {
      watch_worker(pool_number_, seats[i], hired[i]->sentinel());
    } catch (...) {
      failure = std::current_exception();
      if (!hired[i]->is_thread()) {
        // The end of a worker that nobody watches would not be noticed.
        workers_[seats[i]] = nullptr;
        if (process::attempt([&] { hired[i]->signal(platform::Signal::kill); })) {
          hired[i]->join({});
          process::unregister_child(*hired[i]);
        }
      }
    }
  }
  if (failure != nullptr) {
    std::rethrow_exception(failure);
  }
}

void Crew::stop_filling() {
  const std::lock_guard guard(mutex_);
  filling_ = false;
}

std::optional<Ended> Crew::take_ended(std::uint32_t seat) {
  const std::lock_guard guard(mutex_);
  const std::shared_ptr<detail::Child> worker = workers_[seat];
  if (worker == nullptr || !worker->join(Duration::zero())) {
    return std::nullopt;
  }
  workers_[seat] = nullptr;
  unwatch_worker(worker->sentinel());
  process::unregister_child(*worker);
  const int exitcode = worker->exitcode().value_or(WorkerLost::kUnknownExit);
  Ended ended{
      worker->pid(), worker->exit_is_unknown() ? WorkerLost::kUnknownExit : exitcode, {}, {}};
  ended.over_memory = std::exchange(over_memory_[seat], {});
  if (const auto written = std::exchange(stderrs_[seat], nullptr)) {
    const std::string last = last_lines(*written);
    if (ended.exitcode != 0) {
      ended.last_lines = last;
    }
  }
  return ended;
}

std::vector<int> Crew::pids() {
  std::vector<int> all;
  for (const auto& worker : living()) {
    all.push_back(worker->pid());
  }
  return all;
}

bool Crew::wants_workers() {
  const std::lock_guard guard(mutex_);
  return filling_ && std::find(workers_.begin(), workers_.end(), nullptr) != workers_.end();
}

std::vector<std::shared_ptr<detail::Child>> Crew::living() {
  const std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<detail::Child>> all;
  for (const auto& worker : workers_) {
    if (worker != nullptr) {
      all.push_back(worker);
    }
  }
  return all;
}

std::vector<std::shared_ptr<detail::Child>> Crew::unwatched() {
  auto all = living();
  for (const auto& worker : all) {
    unwatch_worker(worker->sentinel());
  }
  return all;
}

bool Crew::kill(std::uint32_t seat, std::string over_memory) {
  const std::lock_guard guard(mutex_);
  if (workers_[seat] == nullptr) {
    return true;
  }
  over_memory_[seat] = std::move(over_memory);
  return process::attempt([&] { workers_[seat]->signal(platform::Signal::kill); });
}

int Crew::pid(std::uint32_t seat) {
  const std::lock_guard guard(mutex_);
  return workers_[seat] != nullptr ? workers_[seat]->pid() : 0;
}

void Crew::terminate() noexcept {
  try {
    stop_filling();
    if (method_ != StartMethod::thread) {
      process::terminate_all(unwatched());
    }
  } catch (...) {
    // There is no memory for it: they are killed when the grace is over.
  }
}

void Crew::end(process::GracePeriod& grace) noexcept {
  try {
    if (method_ == StartMethod::thread || process::join_terminated(living(), grace)) {
      join();
    }
  } catch (...) {
    // A worker that cannot be signalled or joined has ended.
  }
}

void Crew::join() {
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

void Crew::disown() noexcept {
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
