#pragma once

#include <optional>

#include "pool/layout.hpp"

// How tasks get from the owner to the workers.
namespace procession::pool {

/// Owner, one thread at a time: makes the slot, filled in and `ready`, the task to be claimed after
/// those that are published and `before` others. Nobody sees it until then.
void enlist(Shared& shared, std::uint32_t slot, std::uint32_t before);
/// Publishes the next `tasks` tasks, which were enlisted.
void publish(Shared& shared, std::uint32_t tasks);

/// Worker: claims the oldest task; the slot's number, or empty when there is none. Lock-free: a
/// worker killed in here holds up nobody.
std::optional<std::uint32_t> claim(Shared& shared, std::uint32_t worker);

/// Owner: moves the head past tasks that were cancelled, for which no worker may come by in a
/// while.
void pass_over_cancelled(Shared& shared);

/// How many tasks can be published: fewer where the head is far behind.
inline std::size_t room(const Shared& shared) {
  return kRing - (shared.tail.load(std::memory_order_relaxed) - shared.head.load());
}

/// Whether there may be a task to claim.
inline bool may_have_tasks(const Shared& shared) {
  return shared.head.load() != shared.tail.load();
}

/// Worker: sleeps until there may be a task or the pool stops. Spins a while first, if it is to and
/// not too many do. Where it gave `ended` jobs (KeptJobs), also until another one has ended.
/// Whether it is among those that spin afterwards.
bool wait_for_task(Shared& shared, std::uint32_t worker, bool spin,
                   std::optional<std::uint64_t> ended);

/// Wakes that worker, if it sleeps.
void wake_worker(Shared& shared, std::uint32_t worker);
/// Wakes up to `most` sleeping workers. One that is taken out of the set of those that sleep, by a
/// process that is killed before it wakes it, is in no set: `wake_all_workers` finds it, which the
/// owner calls when a worker was killed and when the pool stops; and it looks by itself after a
/// while (platform/backoff.hpp), should that be lost too.
void wake_workers(Shared& shared, std::uint32_t most);
/// Wakes every worker that sleeps, in the set or not.
void wake_all_workers(Shared& shared);

/// Owner, after publishing `tasks` tasks: sees to it that somebody looks for them. False where it
/// leaves that to workers that are awake, because tasks are short: they may be wrong for once.
bool call_workers(Shared& shared, std::uint32_t tasks);

/// Owner, before it sleeps or where tasks were not short after all: sees to it that somebody looks
/// for each task that waits.
void call_workers_for_all(Shared& shared);

/// Worker, after claiming: if more tasks wait and nobody looks for them, wakes one who does.
void pass_the_call_on(Shared& shared);
/// The same of one that will not look again.
void leave_the_call(Shared& shared);

}  // namespace procession::pool
