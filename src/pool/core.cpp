#include "pool/core.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "heap/block_encoder.hpp"
#include "platform/cpu.hpp"
#include "platform/futex.hpp"
#include "platform/own_mutex.hpp"
#include "platform/spawn.hpp"
#include "pool/ring.hpp"
#include "pool/supervisor.hpp"
#include "pool/thread_throws.hpp"
#include "pool/worker_bits.hpp"
#include "process/grace_period.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

// The life of a pool: made, open, closed or terminated, joined. What happens to tasks meanwhile is
// in submit.cpp, outcome.cpp and wait.cpp.
namespace procession::detail {

using namespace pool;

namespace {

/// Workers that end in a row before they are ready, before tasks fail for want of one.
constexpr unsigned kMostEarlyEnds = 5;
/// The same for workers that were killed, which is rarely their own fault.
constexpr unsigned kMostEarlyKills = 100;
constexpr int kKilled = -9;  // exit code

/// What was left open is chosen, once: what it depends on may change at any moment.
PoolSettings resolved(PoolSettings settings) {
  if (settings.processes == 0) {
    settings.processes = platform::usable_cpus();
  }
  if (!settings.start_method) {
    settings.start_method = static_cast<int>(get_start_method());
  }
  static_cast<void>(checked_method(static_cast<StartMethod>(*settings.start_method)));
  if (settings.processes > kMostWorkers) {
    throw std::invalid_argument(std::to_string(settings.processes) +
                                " workers were asked for; the most is " +
                                std::to_string(kMostWorkers));
  }
  if (settings.max_tasks_per_child == std::size_t{0}) {
    throw std::invalid_argument(
        "max_tasks_per_child = 0 was asked for, by which no worker could run a task; give at least "
        "1, or leave it "
        "empty for no limit");
  }
  if (settings.max_memory_per_child == std::size_t{0}) {
    throw std::invalid_argument(
        "max_memory_per_child = 0 bytes was asked for, with which no worker could run; give more, "
        "or leave it empty for no limit");
  }
  return settings;
}

std::uint32_t next_number() {
  static std::atomic<std::uint32_t> last{0};
  return ++last;
}

/// Slots and ring positions are written before they are read: their memory is touched only as tasks
/// need it.
Shared& make_shared_part(const heap::Block& block, std::size_t worker_slots) {
  auto& shared = *heap::at<Shared>(block.offset());
  std::memset(block.data(), 0, offsetof(Shared, ring));
  std::memset(static_cast<void*>(shared.worker_slots), 0, worker_slots * sizeof(WorkerSlot));
  shared.worker_slots_used = static_cast<std::uint32_t>(worker_slots);
  return shared;
}

}  // namespace

PoolCore::PoolCore(PoolSettings settings)
    : settings_(resolved(std::move(settings))),
      number_(next_number()),
      owner_pid_(platform::process_id()),
      block_((heap::ensure(), sizeof(Shared) + settings_.processes * sizeof(WorkerSlot))),
      shared_(make_shared_part(block_, settings_.processes)),
      workers_(settings_.processes, method(), number_),
      ended_(workers_.size()) {
  // One processor is left to whoever submits.
  shared_.spinners_most = platform::affinity_cpus() - 1;
  shared_.on_threads = method() == StartMethod::thread ? 1 : 0;
  shared_.forked = method() == StartMethod::fork ? 1 : 0;
  shared_.most_tasks = settings_.max_tasks_per_child.value_or(0);
  shared_.most_memory = settings_.max_memory_per_child.value_or(0);
  if (on_threads() && shared_.most_memory != 0) {
    throw std::invalid_argument(
        "max_memory_per_child was asked for with workers that are threads, which have one memory "
        "with this process; choose another start method, or leave it empty");
  }
  if (settings_.initializer) {
    heap::BlockEncoder encoder(256);
    encode_process_call(encoder, settings_.initializer);
    if (method() != StartMethod::thread) {
      refuse_noted_address(encoder, "the initializer of a pool");
    }
    shared_.initializer_size = encoder.size();
    heap::Block block = encoder.take_for_keeps();
    shared_.initializer = block.offset();
    heap::move(block.release(), block_.offset());
  }
}

PoolCore::~PoolCore() {
  if (disowned_) {
    static_cast<void>(block_.release());
  } else if (on_threads()) {
    forget_thrown(shared_);
  }
}

StartMethod PoolCore::method() const { return static_cast<StartMethod>(*settings_.start_method); }

void PoolCore::open() {
  supervise(shared_from_this());
  workers_.fill(block_.offset());
}

void PoolCore::check_open() try {
  std::unique_lock guard(mutex_);
  check_open_here(guard);
} catch (...) {
  throw;  // see submit_single
}

/// What workers and owner share is for these alone: a child that the owner forked would take
/// results from its parent, or stop its workers.
void PoolCore::check_here() const {
  if (disowned_) {
    throw ProcessError(called() + " of process " + std::to_string(owner_pid_) +
                       ", or a result of it that had not ended, was used in process " +
                       std::to_string(platform::process_id()) +
                       ", a fork of that one; it serves the process that made it: make one here");
  }
}

void PoolCore::check_open_here(std::unique_lock<platform::OwnMutex>& guard) {
  if (disowned_) {
    throw ProcessError("a task was given to " + called() + " of process " +
                       std::to_string(owner_pid_) + " in process " +
                       std::to_string(platform::process_id()) + "; " + called() +
                       " serves the process that made it: make one here");
  }
  if (broken_) {
    const Failure cause = broken_;
    guard.unlock();
    cause.rethrow();
  }
  if (stage_ != Stage::open) {
    refuse_task();
  }
}

void PoolCore::stop(std::uint32_t how) {
  workers_.stop_filling();
  // Once: close, join and the end of a pool come one after another.
  if (shared_.stop.exchange(how) != how) {
    wake_all_workers(shared_);
  }
}

Timeout PoolCore::fill_worker_slots() {
  {
    const std::lock_guard guard(mutex_);
    const Timeout left = backoff_.left(StartBackoff::Clock::now());
    if (left != Duration::zero()) {
      return left;
    }
  }
  try {
    workers_.fill(block_.offset());
    const std::lock_guard guard(mutex_);
    if (!ends_too_early()) {
      backoff_.succeeded();
    }
    return std::nullopt;
  } catch (...) {
    // The others work on, and this is tried again in a while; with nobody left, the tasks must not
    // wait for ever.
    const std::lock_guard guard(mutex_);
    const auto now = StartBackoff::Clock::now();
    backoff_.failed(now);
    if (backoff_.has_lasted(now) && workers_.pids().empty()) {
      fail_waiting(std::current_exception());
    }
    return backoff_.left(now);
  }
}

bool PoolCore::ends_too_early() const {
  return early_ends_ >= kMostEarlyEnds || early_kills_ >= kMostEarlyKills;
}

bool PoolCore::has_ready_worker() {
  for (std::uint32_t worker_slot = 0; worker_slot < size(); ++worker_slot) {
    if (shared_.worker_slots[worker_slot].ready != 0 && workers_.pid(worker_slot) != 0) {
      return true;
    }
  }
  return false;
}

/// A task has come while workers could not be had: the next attempt to start some comes soon.
void PoolCore::want_workers() {
  if (has_ready_worker()) {
    lacks_workers_ = false;
    return;
  }
  backoff_.hasten();
  nudge_supervisor();
}

void PoolCore::judge_early_end(std::uint32_t worker_slot, const Ended& ended) {
  if (shared_.worker_slots[worker_slot].ready != 0) {
    early_ends_ = 0;
    early_kills_ = 0;
    backoff_.succeeded();
    return;
  }
  if (const heap::HoldId failure = heap::settled(shared_.failure); failure != 0) {
    if (const ThreadThrows as_thrown = on_threads() ? take_thrown(shared_) : ThreadThrows{};
        !as_thrown.empty()) {
      fail_all(as_thrown.front());
      return;
    }
    const heap::Offset block = heap::target(failure);
    const std::byte* const bytes = heap::at(block);
    // Whatever was written there, no more is copied than the block has.
    const std::size_t size = std::min<std::size_t>(*reinterpret_cast<const std::uint64_t*>(bytes),
                                                   heap::capacity(block) - sizeof(std::uint64_t));
    // What is attached to it the pool holds as long as it lives.
    fail_all(Failure({bytes + sizeof(std::uint64_t), size}, {0, ended.pid}));
    return;
  }
  ++(ended.exitcode == kKilled ? early_kills_ : early_ends_);
  if (!ends_too_early()) {
    return;
  }
  backoff_.failed(StartBackoff::Clock::now());
  if (has_ready_worker()) {
    return;
  }
  if (early_ends_ >= kMostEarlyEnds) {
    // Most likely this is the program's own doing, and would go on for ever.
    backoff_.rest();
  }
  fail_waiting(std::make_exception_ptr(
      ProcessError((for_executor_ ? "the executor cannot work: " : "the pool cannot work: ") +
                   std::to_string(early_ends_ + early_kills_) +
                   " workers in a row ended before they were ready, the last one (process " +
                   std::to_string(ended.pid) + ") with " + exit_text(ended.exitcode) +
                   "; see what they wrote to stderr, and the initializer; others are started when "
                   "the next task comes")));
}

/// No worker could be had for a while: what waits for one fails. What comes later may find one.
void PoolCore::fail_waiting(const Failure& cause) {
  lacks_workers_ = true;
  for (const JobPtr& job : withdraw_waiting()) {
    job->fail_rest(cause);
  }
  move_on();
  pass_over_cancelled(shared_);
  wake_waiters();
}

void PoolCore::fail_all(const Failure& cause) {
  workers_.stop_filling();
  if (!broken_) {
    broken_ = cause;
  }
  std::deque<std::uint32_t> running;
  for (const std::uint32_t number : order_) {
    tasks_[number].job->fail_rest(cause);
    Slot& slot = shared_.slots[number];
    std::uint32_t state = slot.state.load();
    while (phase_of(state) == Slot::ready &&
           !slot.state.compare_exchange_weak(state, with_phase(state, Slot::lost, 0))) {
    }
    if (phase_of(state) == Slot::claimed && stage_ != Stage::terminated) {
      // A worker still reads it.
      running.push_back(number);
    } else {
      --tasks_[number].job->work().slots;
      tasks_[number] = {};
    }
    // Changed first, so that nobody falls asleep on it any more.
    slot.state.fetch_add(kGeneration);
    platform::futex_wake_all(slot.state.word());
  }
  for (const Task& task : backlog_) {
    task.job->fail_rest(cause);
  }
  wake_watchers();
  order_ = std::move(running);
  backlog_.clear();
  shared_.stop = Shared::abandon;
  wake_all_workers(shared_);
}

void PoolCore::close() {
  {
    const std::lock_guard guard(mutex_);
    check_here();
    if (stage_ == Stage::open) {
      stage_ = Stage::closed;
    }
    if (!order_.empty() || !backlog_.empty() || !streams_.empty()) {
      return;
    }
  }
  // Nothing is left to do: the workers may go at once.
  stop(Shared::leave);
}

void PoolCore::end_workers(const char* executors_call) noexcept {
  if (disowned_) {
    return;
  }
  ask_workers_to_end(executors_call);
  process::GracePeriod grace = process::GracePeriod::after_others(process::kWorkersGracePeriod);
  await_workers_end(grace);
}

void PoolCore::ask_workers_to_end(const char* executors_call) noexcept {
  {
    const std::lock_guard guard(mutex_);
    stage_ = Stage::terminated;
    ended_by_ = executors_call;
  }
  stop(Shared::abandon);
  workers_.terminate();
}

void PoolCore::await_workers_end(process::GracePeriod& grace) noexcept {
  workers_.end(grace);
  const std::lock_guard guard(mutex_);
  collect_ended();
  if (!broken_) {
    // For tasks that come from now on: those that are there fail for another reason.
    broken_ = std::make_exception_ptr(Cancelled(given_too_late()));
  }
  fail_all(std::make_exception_ptr(Cancelled(ended_too_early())));
}

void PoolCore::join() {
  std::unique_lock guard(mutex_);
  check_here();
  if (stage_ == Stage::open) {
    throw ProcessError(
        "join() was called on a pool that is open and would wait for ever; call close() or "
        "terminate() "
        "first");
  }
  joining_ = true;
  if (stage_ == Stage::closed) {
    wait_for(nullptr, platform::Deadline(Timeout{}), guard);
  }
  guard.unlock();
  stop(Shared::leave);
  workers_.join();
  finish_calls();
}

void PoolCore::note_end_of_program() noexcept {
  const std::lock_guard guard(mutex_);
  with_program_ = stage_ == Stage::open;
}

void PoolCore::end() noexcept {
  if (disowned_) {
    return;
  }
  try {
    std::unique_lock guard(mutex_);
    const bool closed = stage_ == Stage::closed;
    guard.unlock();
    if (closed) {
      join();
    } else {
      terminate();
      finish_calls();
    }
  } catch (...) {
    terminate();
  }
}

void PoolCore::forget_exceptions() noexcept {
  if (disowned_) {
    return;
  }
  leave_unsupervised(*this);
  if (on_threads()) {
    Failure broken;
    {
      const std::lock_guard guard(mutex_);
      broken = std::exchange(broken_, {});
    }
    forget_thrown(shared_);
  }
}

bool PoolCore::ends_by_signals() {
  if (disowned_ || on_threads()) {
    return false;
  }
  const std::lock_guard guard(mutex_);
  return stage_ == Stage::open;
}

bool PoolCore::begin_end() noexcept {
  if (!ends_by_signals()) {
    return false;
  }
  ask_workers_to_end("terminate_workers()");
  return true;
}

void PoolCore::finish_end(process::GracePeriod& grace) noexcept {
  await_workers_end(grace);
  try {
    finish_calls();
  } catch (...) {
    // What it waits with is gone; the pool has ended all the same.
  }
}

void PoolCore::disown() noexcept {
  disowned_ = true;
  workers_.disown();
  new (&mutex_) platform::OwnMutex;  // a thread of the parent's may have held it
  new (&called_) std::condition_variable_any;
}

}  // namespace procession::detail
