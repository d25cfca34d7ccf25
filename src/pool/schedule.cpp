#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "log/log.hpp"
#include "platform/cpu.hpp"
#include "platform/futex.hpp"
#include "platform/relax.hpp"
#include "pool/core.hpp"
#include "pool/ring.hpp"
#include "pool/supervisor.hpp"
#include "pool/worker_set.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

// From a task to a slot, from a slot to its outcome, and what is done about each outcome.
namespace procession::detail {

using namespace pool;

namespace {

/// How long a caller looks for its result before it sleeps. A wake-up across cores costs about as
/// much.
constexpr std::chrono::microseconds kSpin{40};
constexpr unsigned kLooksBetweenClocks = 64;

/// Whether the task of that generation has neither ended nor made room for another one.
bool under_way(std::uint32_t state, std::uint32_t generation) {
  const Slot::Phase phase = phase_of(state);
  return (phase == Slot::ready || phase == Slot::claimed) && generation_of(state) == generation;
}
bool under_way(const Slot& slot, std::uint32_t generation) {
  return under_way(slot.state.load(std::memory_order_acquire), generation);
}

/// Looks for the end of a task for a while. False when it did not come.
bool spin(const Slot& slot, std::uint32_t generation) {
  static const bool alone = platform::affinity_cpus() == 1;
  if (alone) {
    return !under_way(slot, generation);
  }
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (unsigned look = 0; look < kLooksBetweenClocks; ++look) {
      if (!under_way(slot, generation)) {
        return true;
      }
      platform::relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

void PoolCore::submit(Task task) {
  const std::lock_guard guard(mutex_);
  if (broken_ != nullptr) {
    task.job->fail_rest(broken_);
    return;
  }
  if (stage_ == Stage::terminated) {
    task.job->fail_rest(
        std::make_exception_ptr(Cancelled("the pool was terminated while the task was submitted")));
    return;
  }
  if (stage_ == Stage::closed) {
    // Between the check and here. The workers may have left.
    throw ProcessError(
        "the pool was closed while a task was being submitted; submit before close()");
  }
  backlog_.push_back(std::move(task));
  if (free_.empty() && tasks_.size() == kSlots) {
    collect_ended();
  }
  feed();
  if (backlog_.size() == 1) {
    nudge_supervisor();
  }
}

bool PoolCore::pump() {
  const std::lock_guard guard(mutex_);
  if (!backlog_.empty()) {
    move_on();
  }
  return !backlog_.empty();
}

void PoolCore::move_on() {
  collect_ended();
  feed();
}

void PoolCore::feed() {
  std::uint32_t fed = 0;
  while (!backlog_.empty() && broken_ == nullptr && put(backlog_.front())) {
    backlog_.pop_front();
    ++fed;
  }
  if (fed != 0) {
    call_workers(shared_, fed);
  }
}

/// Puts a task into a slot and publishes it. False when all slots are in use.
bool PoolCore::put(Task& task) {
  if (free_.empty()) {
    if (tasks_.size() == kSlots) {
      return false;
    }
    free_.push_back(static_cast<std::uint32_t>(tasks_.size()));
    tasks_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  Slot& slot = shared_.slots[number];
  const JobBytes& call = task.job->call();
  const JobBytes& items = task.chunk->items;
  slot.call = call.size != 0 ? call.block.offset() : 0;
  slot.call_size = call.size;
  slot.items = items.block.offset();
  slot.items_size = items.size;
  if (!items.block) {
    std::memcpy(slot.inline_items, items.in_place, items.size);
  }
  slot.skip = static_cast<std::uint32_t>(task.skip);
  slot.count = static_cast<std::uint32_t>(task.count);
  slot.progress.store(0, std::memory_order_relaxed);
  slot.result = 0;
  slot.error_size = 0;
  slot.state.store((generation_of(slot.state.load()) + kGeneration) | Slot::ready);
  tasks_[number] = std::move(task);
  order_.push_back(number);
  publish(shared_, number);
  return true;
}

void PoolCore::collect_ended() {
  // Tasks are claimed in the order of their publication: behind the first that nobody has claimed,
  // none has ended.
  std::vector<std::uint32_t> running;
  while (!order_.empty()) {
    const std::uint32_t number = order_.front();
    const Slot::Phase phase = phase_of(shared_.slots[number].state.load(std::memory_order_acquire));
    if (phase == Slot::ready) {
      break;
    }
    order_.pop_front();
    if (phase == Slot::claimed) {
      running.push_back(number);
    } else {
      collect(number);
    }
  }
  if (!running.empty()) {
    order_.insert(order_.begin(), running.begin(), running.end());
  }
}

void PoolCore::collect(std::uint32_t number) {
  Slot& slot = shared_.slots[number];
  const Task task = std::exchange(tasks_[number], {});
  const std::uint32_t state = slot.state.load();
  const std::uint64_t progress = slot.progress.load();
  const std::size_t done = progress_count(progress);

  Results results;
  results.first = task.chunk->first + task.skip;
  results.count = done;
  results.size = progress_bytes(progress);
  if (slot.result != 0) {
    heap::move(slot.result, heap::self());
    results.block = heap::Block::own(slot.result);
  } else {
    std::memcpy(results.in_place, slot.inline_result, kInlineResult);
  }
  if (!task.job->ended()) {
    const bool orderly = phase_of(state) == Slot::done;
    std::size_t over = done;
    if (orderly ? slot.error_size != 0 : (progress & kProgressThrew) != 0) {
      const std::byte* const bytes = results.block ? results.block.data() : results.in_place;
      results.count = settle_exception(task, {bytes + results.size, slot.error_size});
      // The whole task may have thrown behind that, over elements that cannot be read.
      over += orderly && done < task.count ? 1 : 0;
      task.job->dismiss(*task.chunk, over - results.count - 1);
    }
    if (over < task.count && orderly) {
      run_from(task, over, 0);
    } else if (over < task.count) {
      settle_loss(task, over, ended_[worker_of(state)]);
    }
    task.job->succeed(*task.chunk, std::move(results));
  }
  slot.result = 0;
  slot.state.store(generation_of(state));
  if ((state & kSleeps) != 0) {
    // The worker wakes who sleeps, unless it was killed between the end of the task and that.
    platform::futex_wake_all(slot.state);
  }
  free_.push_back(number);
}

/// Which of the task's elements it was.
std::size_t PoolCore::settle_exception(const Task& task, std::span<const std::byte> bytes) {
  Decoder decoder(bytes);
  const auto pid = static_cast<int>(decode<std::uint32_t>(decoder));
  const std::size_t failed = decode<std::uint32_t>(decoder);
  const std::size_t index = task.chunk->first + task.skip + failed;
  std::exception_ptr cause;
  try {
    cause = decode_exception(decoder, {index, pid});
  } catch (...) {
    cause = std::current_exception();
  }
  task.job->fail(*task.chunk, index, std::move(cause));
  return failed;
}

void PoolCore::settle_loss(const Task& task, std::size_t done, const Ended& worker) {
  // Which elements the worker had finished is on record, and which one it died over: the others
  // still run, once.
  const unsigned lost = (done == 0 ? task.lost : 0) + 1;
  if (lost <= task.job->retries()) {
    run_from(task, done, lost);
    return;
  }
  const std::size_t index = task.chunk->first + task.skip + done;
  task.job->fail(*task.chunk, index,
                 std::make_exception_ptr(WorkerLost(worker.pid, worker.exitcode, index)));
  run_from(task, done + 1, 0);
}

void PoolCore::run_from(const Task& task, std::size_t skip, unsigned lost) {
  if (skip < task.count) {
    backlog_.push_front({task.job, task.chunk, task.skip + skip, task.count - skip, lost});
  }
}

bool PoolCore::look(Job& job) {
  const std::lock_guard guard(mutex_);
  if (!job.ended()) {
    move_on();
  }
  return job.ended();
}

std::exception_ptr PoolCore::failure(Job& job) {
  const std::lock_guard guard(mutex_);
  return job.failure();
}

std::optional<std::vector<Piece>> PoolCore::finish(Job& job, const platform::Deadline& deadline) {
  std::unique_lock guard(mutex_);
  if (!wait_for(&job, deadline, guard)) {
    return std::nullopt;
  }
  if (job.failure() != nullptr) {
    std::rethrow_exception(job.failure());
  }
  return job.pieces();
}

bool PoolCore::wait(Job& job, const platform::Deadline& deadline) {
  std::unique_lock guard(mutex_);
  return wait_for(&job, deadline, guard);
}

/// Waits for one job, or for all.
bool PoolCore::wait_for(const Job* job, const platform::Deadline& deadline,
                        std::unique_lock<std::mutex>& guard) {
  const auto ended = [&] {
    return job != nullptr ? job->ended() : order_.empty() && backlog_.empty();
  };
  std::size_t told = 0;
  for (;;) {
    move_on();
    if (job != nullptr && job->progress() && job->total() - job->left() != told) {
      told = job->total() - job->left();
      guard.unlock();
      job->progress()(told, job->total());
      guard.lock();
      continue;
    }
    if (ended()) {
      return true;
    }
    if (deadline.passed()) {
      return false;
    }
    const std::uint32_t number = slot_to_sleep_on(job);
    Slot& slot = shared_.slots[number];
    // Another thread may collect the task meanwhile and give its slot to one that takes long.
    const std::uint32_t generation = generation_of(slot.state.load());
    guard.unlock();
    if (!spin(slot, generation)) {
      std::uint32_t state = slot.state.load();
      if (under_way(state, generation) &&
          ((state & kSleeps) != 0 || slot.state.compare_exchange_strong(state, state | kSleeps))) {
        platform::futex_wait(slot.state, state | kSleeps, deadline.left());
      }
    }
    guard.lock();
  }
}

std::uint32_t PoolCore::slot_to_sleep_on(const Job* job) const {
  // Tasks end about in the order in which they began: who needs all of them sleeps on the last, and
  // is woken once; who wants to hear of progress sleeps on the first.
  if (job != nullptr && job->progress()) {
    const auto first = std::find_if(order_.begin(), order_.end(),
                                    [&](auto slot) { return tasks_[slot].job.get() == job; });
    return first != order_.end() ? *first : order_.front();
  }
  const auto last = std::find_if(order_.rbegin(), order_.rend(), [&](auto slot) {
    return job == nullptr || tasks_[slot].job.get() == job;
  });
  return last != order_.rend() ? *last : order_.back();
}

void PoolCore::worker_ended(std::uint32_t seat) {
  const std::optional<Ended> ended = crew_.take_ended(seat);
  if (!ended) {
    return;
  }
  {
    if (ended->exitcode != 0) {
      log::write(LogLevel::warning, "lost pool worker " + std::to_string(ended->pid) +
                                        ", exit code " + std::to_string(ended->exitcode));
    }
    const std::lock_guard guard(mutex_);
    ended_[seat] = *ended;
    erase(shared_.parked, seat);
    erase(shared_.spinning, seat);
    if (stage_ == Stage::terminated) {
      return;  // what it was running is cancelled, not lost
    }
    for (const std::uint32_t number : order_) {
      Slot& slot = shared_.slots[number];
      std::uint32_t state = slot.state.load();
      if (phase_of(state) != Slot::claimed || worker_of(state) != seat) {
        continue;
      }
      while (!slot.state.compare_exchange_weak(state, with_phase(state, Slot::lost, seat))) {
      }
      if ((state & kSleeps) != 0) {
        platform::futex_wake_all(slot.state);
      }
    }
    judge_early_end(seat, *ended);
    shared_.seats[seat].ready = 0;
    move_on();
    // The worker may have been called for a task that it did not live to claim.
    if (may_have_tasks(shared_)) {
      wake_workers(shared_, shared_.seats_used);
    }
  }
  fill_seats();
}

}  // namespace procession::detail
