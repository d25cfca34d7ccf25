#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "pool/layout.hpp"
#include "procession/detail/task_run.hpp"

namespace procession::pool {

/// The functions of the jobs that a worker was at last, so that each is decoded once for the job
/// and not for each of its tasks. Belongs to the worker.
///
/// A function is given back when its job has ended: the worker looks before each task of another
/// job and before it sleeps, and the owner wakes those that sleep and keep something heavy. One
/// that came with handles goes as soon as the worker turns to something else, which may take long,
/// while somebody may wait for the end of a pipe; so does any where the worker's memory is limited.
class KeptCalls {
 public:
  struct Call {
    std::uint64_t job = 0;  ///< 0: none
    detail::TaskEntry* entry = nullptr;
    std::unique_ptr<detail::KeptTarget> target;  ///< null: it is to be decoded
  };

  explicit KeptCalls(const Shared& shared) : shared_(shared) {}
  KeptCalls(const KeptCalls&) = delete;
  KeptCalls& operator=(const KeptCalls&) = delete;
  ~KeptCalls() = default;

  /// A task of that job is about to run (Slot::job): its place, null where nothing is kept of it.
  Call* turn_to(std::uint64_t job);

  /// Gives back what is of jobs that have ended. To be called before the worker sleeps.
  void drop_ended();
  /// Whether something is kept that is to be given back soon after its job has ended.
  [[nodiscard]] bool is_heavy() const;
  /// KeptJobs::ended when it was looked at last: once it has changed, `drop_ended` may find more.
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  /// Gives back all. Whether there was any.
  bool drop_all();

 private:
  /// That of the present job, and one more: the tasks of two jobs may take turns, or those of a job
  /// and of one that it waits for.
  static constexpr std::size_t kMost = 2;

  [[nodiscard]] bool is_alive(std::uint64_t job) const;
  template <class Condition>
  void drop_where(const Condition& condition);

  [[nodiscard]] bool is_empty() const;

  const Shared& shared_;
  std::uint64_t seen_ = 0;
  std::array<Call, kMost> calls_;  ///< the last one first
};

/// Owner: the function of a job may be kept from now on, until `end_kept`.
void begin_kept(Shared& shared, std::uint64_t job);
/// Owner: the job has ended. Wakes the workers that are to give something back.
void end_kept(Shared& shared, std::uint64_t job);

}  // namespace procession::pool
