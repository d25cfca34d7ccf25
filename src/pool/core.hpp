#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "platform/deadline.hpp"
#include "platform/own_mutex.hpp"
#include "pool/held_chunks.hpp"
#include "pool/job.hpp"
#include "pool/layout.hpp"
#include "pool/start_backoff.hpp"
#include "pool/worker_set.hpp"

namespace procession::detail {

/// The owner's side of a pool: which task is in which slot, what became of it, and what is done
/// about it. No thread of its own stands between a caller and a worker: whoever submits or waits
/// moves tasks into slots and outcomes out of them; the supervisor (supervisor.hpp) does so only
/// where nobody else can. Thread-safe.
class PoolCore : public std::enable_shared_from_this<PoolCore> {
 public:
  explicit PoolCore(PoolSettings settings);
  ~PoolCore();
  PoolCore(const PoolCore&) = delete;
  PoolCore& operator=(const PoolCore&) = delete;

  /// Starts the workers.
  void open();

  /// Throws as `check_open`.
  void submit_single(const JobPtr& job);
  void submit(Task task);
  /// A stream's job, from now until `abandon`: a closed pool still takes its elements.
  void open_stream(HeldChunks& held);
  /// From now until `hand_over` the reader may hold chunks: the supervisor hands over, within some
  /// milliseconds, those that the reader does not.
  void watch(HeldChunks& held);
  /// Hands over what the reader holds. Throws `ProcessError` once the pool is being joined.
  void hand_over(HeldChunks& held);
  /// Lets go of what was not handed over; how many chunks those were.
  std::size_t drop(HeldChunks& held) noexcept;
  /// Waits until chunks of a stream's job have ended, and returns these; none when the deadline
  /// passes first. Throws the job's failure when no more will.
  std::vector<std::shared_ptr<StreamChunk>> await_chunks(Job& job,
                                                         const platform::Deadline& deadline);
  void abandon(HeldChunks& held) noexcept;
  bool wait(Job& job, const platform::Deadline& deadline);
  /// Whether the job has ended, after a look at what the workers have done.
  bool look(Job& job);
  /// Empty where it has not failed.
  Failure failure(Job& job);
  /// Waits for the job; false when the deadline passes first. Throws its failure.
  bool finish(Job& job, const platform::Deadline& deadline);
  /// The results of a map that has ended well.
  std::vector<Piece> pieces(Job& job);

  /// Calls the hook once the job has ended: in the completion thread's thread, so it must neither
  /// wait nor throw; here and now if it has ended already.
  void on_end(Job& job, std::function<void()> hook);
  /// See AsyncResult::cancel.
  bool cancel(Job& job);
  /// Whether a worker is at one of the job's tasks.
  bool running(Job& job);
  /// The tasks that no worker has begun fail with `Cancelled`.
  void cancel_waiting();

  /// It is an executor's: what it throws speaks of that, of which the user knows.
  void serve_executor();

  void close();
  void terminate() noexcept { end_workers("terminate_workers()"); }
  /// The same, by SIGKILL at once.
  void kill() noexcept;
  void join();
  /// The program ends, and with it, next, this pool, which its user has not ended: for texts.
  void note_end_of_program() noexcept;
  /// What ~Pool does, and then `forget_exceptions`.
  void end() noexcept;
  /// Of a pool that has ended and gets no more tasks: the library's threads let go of it, and it of
  /// what its initializer threw, though results that the user has may keep the rest of it.
  void forget_exceptions() noexcept;
  /// The first half of what `end` does with an open pool of processes, which does not wait: its
  /// workers are asked to end. False, and nothing was done, where it is another kind of pool.
  bool begin_end() noexcept;
  /// Whether `begin_end` would do it.
  [[nodiscard]] bool ends_by_signals();
  /// The second half: workers that have not ended when the grace is over are killed.
  void finish_end(process::GracePeriod& grace) noexcept;

  [[nodiscard]] bool on_threads() const { return shared_.on_threads != 0; }
  [[nodiscard]] std::size_t size() const { return workers_.size(); }
  [[nodiscard]] std::vector<int> pids() { return workers_.pids(); }
  /// Throws `ProcessError` unless tasks may be submitted here.
  void check_open();

  // For the supervisor.
  [[nodiscard]] std::uint32_t number() const { return number_; }
  pool::WorkerSet& workers() { return workers_; }
  /// The worker of a worker slot has ended: settles what it was running.
  void worker_ended(std::uint32_t worker_slot);
  /// Starts workers in empty worker slots, unless that failed just now. While it fails and there
  /// are no workers, tasks fail with the reason. When to call it again; empty: not before somebody
  /// has nudged the supervisor.
  Timeout fill_worker_slots();
  /// Moves on what can be moved on. When it has to be called again, because tasks wait to be given
  /// to workers; empty: none does.
  Timeout pump();
  /// Ends elements that have run too long or taken too much memory; when to look again, empty: no
  /// task has a limit.
  Timeout check_limits();
  /// For the completion thread: takes the hooks of jobs that have ended, after a look;
  /// `hooks_called` once they have been called.
  std::vector<std::function<void()>> take_hooks();
  void hooks_called();
  /// For a job that ends, with the mutex held.
  void call_soon(std::vector<std::function<void()>> hooks);
  /// For a job that ends, with the mutex held: workers are to keep its function no longer.
  void function_ended(std::uint64_t number);
  /// In the child of a fork: this is the parent's pool.
  void disown() noexcept;
  [[nodiscard]] bool disowned() const { return disowned_; }

 private:
  /// How often tasks that wait for a slot are seen to while nobody of the program does, and those
  /// that are held back until workers need them.
  static constexpr std::chrono::milliseconds kFeedEvery{1};
  static constexpr std::chrono::milliseconds kDivideEvery{5};
  /// How often the memory of workers with a limit is looked at.
  static constexpr std::chrono::milliseconds kMemoryLooks{10};
  /// How often a worker that was handed several chunks is looked at, whether one of them holds up
  /// the others.
  static constexpr std::chrono::milliseconds kHeldUpLooks{2};
  /// So many tasks are collected between two looks at the clock, and are short where each took less
  /// than this.
  static constexpr std::size_t kShortTaskLooks = 64;
  static constexpr std::chrono::microseconds kShortTask{5};
  /// With so many single calls in slots, further ones are handed over so many together.
  static constexpr std::size_t kEnough = 256;
  static constexpr std::size_t kTogether = 128;

  enum class Stage { open, closed, terminated };

  [[nodiscard]] StartMethod method() const;
  /// `terminate()`; an executor names the call by which that came about. In two halves: one asks
  /// the workers to end, the other waits for that.
  void end_workers(const char* executors_call) noexcept;
  void ask_workers_to_end(const char* executors_call) noexcept;
  void await_workers_end(process::GracePeriod& grace) noexcept;
  void stop(std::uint32_t how);
  /// Waits until what was to be called at the end of jobs has been.
  void finish_calls();

  // With the mutex held, all of them.
  [[nodiscard]] std::string called() const;
  /// A task comes after the end was asked for: throws ProcessError.
  [[noreturn]] void refuse_task() const;
  [[nodiscard]] std::string given_too_late() const;
  [[nodiscard]] std::string ended_too_early() const;
  bool admit(Job& job);
  bool take_held(HeldChunks& held);
  void feed_backlog();
  void wake_watchers();
  void move_on();
  void check_short_tasks();
  void collect_ended();
  void feed();
  [[nodiscard]] std::size_t next_count(const Task& task) const;
  [[nodiscard]] bool hands_out_several(const Job& job) const;
  [[nodiscard]] static bool is_several(const Task& task);
  bool put(Task& task, std::uint32_t before);
  std::uint64_t number_of(Job& job);
  void feed_later();
  /// Gives the mutex back where it throws what users' code makes.
  void check_open_here(std::unique_lock<platform::OwnMutex>& guard);
  void check_here() const;
  void collect(std::uint32_t slot);
  void make_free(std::uint32_t slot, std::uint32_t state);
  struct Thrown {
    std::size_t element;  ///< of the task
    Failure cause;
  };
  Thrown read_exception(const Task& task, std::size_t done, std::span<const std::byte> bytes,
                        const Results& results) const;
  void note_task_time(const Task& task, const pool::Slot& slot);
  void settle_loss(const Task& task, std::size_t done, const pool::Ended& worker);
  void look_within(Duration time);
  void check_memory(std::uint32_t slot);
  Duration check_clock(std::uint32_t slot);
  bool take_back(std::uint32_t slot);
  void run_from(const Task& task, std::size_t skip, unsigned lost);
  [[nodiscard]] std::uint32_t slot_to_sleep_on(const Job* job) const;
  bool wait_for(const Job* job, const platform::Deadline& deadline,
                std::unique_lock<platform::OwnMutex>& guard);
  void wake_waiters();
  void fail_all(const Failure& cause);
  std::vector<JobPtr> withdraw_waiting();
  void fail_waiting(const Failure& cause);
  [[nodiscard]] bool has_ready_worker();
  [[nodiscard]] bool ends_too_early() const;
  void want_workers();
  void judge_early_end(std::uint32_t worker_slot, const pool::Ended& ended);
  void tell_of_end(Job& job);
  [[nodiscard]] bool runs_unheard() const;
  [[nodiscard]] bool is_claimed(const Job& job) const;
  bool withdraw(std::uint32_t slot);

  const PoolSettings settings_;  ///< nothing is left open
  const std::uint32_t number_;   ///< among the pools of this process
  const int owner_pid_;
  std::atomic<bool> disowned_{false};  ///< this is the child of a fork
  heap::Block block_;
  pool::Shared& shared_;
  pool::WorkerSet workers_;

  platform::OwnMutex mutex_;
  Stage stage_ = Stage::open;
  bool for_executor_ = false;
  const char* ended_by_ = nullptr;    ///< which call of an executor's user terminated it
  bool with_program_ = false;         ///< it was ended with the program
  bool joining_ = false;              ///< streams get no more elements either
  Failure broken_;                    ///< why no task can be run any more
  std::vector<Task> tasks_;           ///< by slot; as many as were ever in use at a time
  std::vector<std::uint32_t> free_;   ///< slots, the last one used first
  std::deque<std::uint32_t> order_;   ///< slots in use, in the order of their publication
  std::deque<Task> backlog_;          ///< tasks without a slot
  bool had_enough_ = false;           ///< workers had enough to do when single calls were fed
  std::vector<HeldChunks*> streams_;  ///< of jobs to which elements may come
  std::vector<pool::Ended> ended_;    ///< by worker slot: how its last worker ended
  std::chrono::steady_clock::time_point next_look_ =
      std::chrono::steady_clock::time_point::max();  ///< of the supervisor's at the limits
  bool held_back_ = false;         ///< tasks wait to be given to workers, and the supervisor knows
  bool held_back_lately_ = false;  ///< some did since it looked
  std::size_t collected_ = 0;      ///< tasks, since the last look at the clock
  std::chrono::steady_clock::time_point collected_since_{};
  std::uint64_t seen_head_ = 0;  ///< the ring's, when the supervisor last looked
  std::uint64_t seen_tail_ = 0;
  /// How long elements of functions took that were mapped before.
  struct KnownTaskTime {
    std::size_t key = 0;
    double each = 0;      ///< nanoseconds
    double decoding = 0;  ///< nanoseconds, see Pace
  };
  std::array<KnownTaskTime, 16> known_times_;
  std::uint64_t jobs_ = 0;                    ///< that have a number
  std::size_t waiters_ = 0;                   ///< threads in `wait_for`
  std::size_t telling_ = 0;                   ///< jobs with hooks that have not ended
  bool unheard_ = false;                      ///< a task may run whose job has ended
  std::vector<std::function<void()>> hooks_;  ///< of jobs that have ended
  bool calling_ = false;                      ///< the completion thread has taken some
  std::condition_variable_any called_;
  unsigned early_ends_ = 0;   ///< workers that ended before they were ready, since one was
  unsigned early_kills_ = 0;  ///< those of them that were killed
  pool::StartBackoff backoff_;
  bool lacks_workers_ = false;  ///< tasks have failed because no worker could be had
};

/// Throws unless this task, or the function of a job, may be given to the pool.
void check_submission(const PoolPtr& pool, const Encoder& encoder);
/// Throws `std::invalid_argument` unless a task could run within that time.
void check_timeout(Timeout timeout);

}  // namespace procession::detail
