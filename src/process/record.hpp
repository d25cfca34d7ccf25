#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "heap/heap.hpp"
#include "platform/fork_mark.hpp"

namespace procession::process {

/// Whether a process leads a process group of its own, which ends with it.
enum class OwnGroup : std::uint32_t {
  none,
  here,
  beside_terminal,  ///< there is a terminal, in whose foreground another group is
};

/// What the tree knows of a process: the payload of its record block, which also owns all that the
/// process holds in the shared heap. Made by the parent before the child exists, so that a child
/// can be told its number only.
class Record {
 public:
  heap::Offset message;        ///< block with the encoded BootMessage
  std::uint64_t message_size;  ///< bytes
  heap::Offset call;           ///< block with the encoded call
  std::uint64_t call_size;     ///< bytes
  std::uint64_t passed;        ///< descriptors that the call brings along
  std::uint64_t own_stderr;    ///< 1: the last of them is to be its standard error
  heap::Offset maker;          ///< record of the process that made this one
  std::uint32_t maker_serial;  ///< of that record, which may be another process's by now
  OwnGroup own_group;          ///< of the process, which it is to lead
  std::uint32_t serial;        ///< no other record of the tree has it: tells those apart that had
                               ///< this place before
  std::uint32_t tied;          ///< 1: the child is not to outlive its maker
  std::uint32_t plain_fork;    ///< 1: the program forks by itself, and nobody waits for the child
  platform::ForkMarkName fork_mark;  ///< of a plain fork: who has it may still take the record

  enum class State : std::uint16_t { requested, running, cancelled, ended };

  /// The parent wants a child. Only the child of this very request may take the record.
  void request(std::uint16_t attempt) { life_ = word(State::requested, attempt, serial); }
  /// What a child needs to know to take the record. It may come so late that its maker is dead and
  /// the record was reaped, and something else is in its place.
  struct Claim {
    heap::Offset record = 0;
    std::uint32_t serial = 0;
    std::uint16_t attempt = 0;
    std::uint16_t unused = 0;  ///< where there would be padding, which is sent too
  };
  /// The child `pid` of that request takes it, in one step with its process id. False: the parent,
  /// or who found that dead, gave up on it.
  static bool take(const Claim& claim, int pid);
  /// Whether it could be taken now.
  static bool stands(const Claim& claim);
  /// The parent gives up on the request. False: a child took it before.
  bool cancel(std::uint16_t attempt);
  /// The same for whoever has to give up on what it saw of it; true too where somebody else did.
  bool cancel_seen(std::uint64_t life);
  /// The child has come to an orderly end.
  void end(int exitcode);

  /// State and whose; another one for each record that has its place.
  [[nodiscard]] std::uint64_t life() const { return life_; }
  static State state_of(std::uint64_t life) { return static_cast<State>(life & 0xffff); }
  [[nodiscard]] State state() const { return state_of(life_); }
  [[nodiscard]] int pid() const { return static_cast<int>(life_.load() >> 32); }
  /// Empty unless the child ended in order. For parents who lost the status to a stranger's wait().
  [[nodiscard]] std::optional<int> exitcode() const;
  /// Where the kernel puts the process id of a child that a fork server makes for a request, before
  /// that child's first instruction.
  std::atomic<std::int32_t>& copied() { return copied_; }

 private:
  static std::uint64_t word(State state, std::uint16_t attempt, std::uint32_t rest) {
    return std::uint64_t{rest} << 32 | std::uint64_t{attempt} << 16 |
           static_cast<std::uint64_t>(state);
  }

  /// Bits 0-15 State, 16-31 attempt, 32-63 the process id of a child that took it, else the serial.
  std::atomic<std::uint64_t> life_;
  std::atomic<std::int32_t> exitcode_;
  std::atomic<std::int32_t> copied_;
};
static_assert(sizeof(Record) <= heap::kRecordBytes);

/// A new record, held by the root of the heap and listed in the tree's directory, so that
/// it can be found and given back even when all who knew of it were killed. Returns its hold id.
/// With `tied`, the child is not to outlive this process.
heap::HoldId make_record(bool tied);

/// The same for a child that the program forks by itself. It inherits the mark, which this process
/// closes after the fork, and the child once it has taken the record.
heap::HoldId make_record(const platform::ForkMarkName& mark);

/// Makes the record that of this process, which was started for it, and tells the tree that it
/// lives. Again for the same record, it does nothing. False when the request does not stand any
/// more: this process has no business here.
bool become_process(const Record::Claim& claim);

inline Record& record_at(heap::Offset offset) { return *heap::at<Record>(offset); }

/// Whether the process lives that had this record when its serial was `serial`. True, too, where
/// that cannot be found out.
bool lives(heap::Offset record, std::uint32_t serial) noexcept;

/// The process has ended: everything it held is given back, and its record too. `serial` is the
/// record's: where somebody else has reaped it, another one may have the hold id, and stays.
void reap_record(heap::HoldId record, std::uint32_t serial) noexcept;

/// Whether a process of this number is one of the tree's that runs.
bool is_of_tree(int pid) noexcept;

/// Reaps the records of processes that have ended, and that nobody has joined yet: perhaps nobody
/// is left to, as with children of killed parents, and of plain forks; and those of children that
/// do not come any more, because their makers were killed, or they were themselves. Also removes
/// the names that nobody uses any more. Returns how many processes there are that nobody else will
/// reap when they end.
std::size_t reap_orphans() noexcept;
/// Whether there may be some by now: there were such processes when last looked for.
bool expects_orphans() noexcept;
/// To be called when something has ended or was let go: `reap_orphans` where some are expected;
/// else just removes the names that nobody uses any more.
void tidy() noexcept;
/// To be called before a process is started: `reap_orphans` where some are expected, and else as
/// often as there are never more starts since the last look than processes lived then.
void tidy_at_start() noexcept;

}  // namespace procession::process
