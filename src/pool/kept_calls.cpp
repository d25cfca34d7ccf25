#include "pool/kept_calls.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pool/ring.hpp"
#include "pool/worker_bits.hpp"

namespace procession::pool {

template <class Condition>
void KeptCalls::drop_where(const Condition& condition) {
  for (Call& call : calls_) {
    if (call.job != 0 && condition(call)) {
      call = {};
    }
  }
}

KeptCalls::Call* KeptCalls::turn_to(std::uint64_t job) {
  if (job != 0 && calls_[0].job == job) {
    return calls_.data();
  }
  // Most workers keep nothing most of the time, and may run tasks of 100 ns.
  if (!is_empty()) {
    drop_ended();
    drop_where([&](const Call& call) {
      return call.job != job && ((call.job & kHasHandles) != 0 || shared_.most_memory != 0);
    });
  }
  if (job == 0) {
    return nullptr;
  }
  const auto same =
      std::find_if(calls_.begin(), calls_.end(), [&](const Call& call) { return call.job == job; });
  if (same == calls_.end()) {
    calls_.back() = {};
    calls_.back().job = job;
  }
  const auto found = same != calls_.end() ? same : calls_.end() - 1;
  std::rotate(calls_.begin(), found, found + 1);
  return calls_.data();
}

void KeptCalls::drop_ended() {
  const std::uint64_t ended = shared_.kept_jobs.ended.load();
  if (std::exchange(seen_, ended) != ended) {
    drop_where([&](const Call& call) { return !is_alive(call.job); });
  }
}

bool KeptCalls::is_heavy() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const Call& call) {
    return call.target != nullptr && call.target->is_heavy();
  });
}

bool KeptCalls::drop_all() {
  const bool any = !is_empty();
  drop_where([](const Call& /*call*/) { return true; });
  return any;
}

bool KeptCalls::is_empty() const {
  return std::all_of(calls_.begin(), calls_.end(), [](const Call& call) { return call.job == 0; });
}

bool KeptCalls::is_alive(std::uint64_t job) const {
  return std::any_of(std::begin(shared_.kept_jobs.alive), std::end(shared_.kept_jobs.alive),
                     [&](const auto& one) { return one.load() == job; });
}

void begin_kept(Shared& shared, std::uint64_t job) {
  for (heap::Stepped<std::uint64_t>& place : shared.kept_jobs.alive) {
    if (place.load(std::memory_order_relaxed) == 0) {
      place.store(job);
      return;
    }
  }
}

void end_kept(Shared& shared, std::uint64_t job) {
  for (heap::Stepped<std::uint64_t>& place : shared.kept_jobs.alive) {
    if (place.load(std::memory_order_relaxed) == job) {
      place.store(0);
    }
  }
  shared.kept_jobs.ended.fetch_add(1);
  // A worker enters itself before it looks at `ended` for the last time; this looks for workers
  // after changing it. One of the two sees the other.
  for (std::uint32_t worker = 0; worker < shared.worker_slots_used; ++worker) {
    if (contains(shared.keeping, worker)) {
      wake_worker(shared, worker);
    }
  }
}

}  // namespace procession::pool
