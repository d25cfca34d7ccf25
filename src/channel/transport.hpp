#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"
#include "procession/codec.hpp"
#include "procession/detail/connection_core.hpp"
#include "sync/event_count.hpp"

namespace procession::channel {
struct Outgoing;
struct Unclosed;
}  // namespace procession::channel

namespace procession::detail {

/// One end of a connection in this process: a descriptor, which stays open until it was closed and
/// the last call in which it is used has returned, and what a derived class does with it.
/// Thread-safe. All of them are listed, for what a fork makes of them.
class Transport {
 public:
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  /// Derived classes call `close` in theirs.
  virtual ~Transport();

  virtual void send(channel::Outgoing& message) = 0;
  virtual void send_bytes(std::span<const std::byte> bytes) = 0;
  /// Waits, perhaps, until a message of so many bytes could be sent, so that there is no memory for
  /// it before.
  virtual void await_room(std::size_t) {}
  virtual void receive(Incoming& message) = 0;
  virtual bool poll(const platform::Deadline& deadline) = 0;
  /// The descriptor, which from now on is readable exactly if `poll` would give true.
  virtual int watch() = 0;
  /// Whether `poll` would give true. If not, the descriptor is not readable until it would.
  virtual bool settle(int descriptor) = 0;
  /// Whether a message may be there, by a mere look at shared memory; never where it has none.
  [[nodiscard]] virtual bool glance() const noexcept { return false; }
  /// Sleeps until a message may be there, but for no longer than that. A message ends it only if
  /// its sender calls `nudge` then, and the other side's end does not: for those whose peer knows.
  /// Calls `before_sleep` each time when the other side can see that this one sleeps.
  virtual void doze(Duration /*most*/, const std::function<void()>& /*before_sleep*/) {}
  /// Wakes who dozes on the other side.
  virtual void nudge() noexcept {}
  /// The same, but leaves it to the caller to wake who dozes, by `wake_claimed()` of the word that
  /// it gives, which lies in the shared heap; null when nobody dozes.
  virtual sync::EventCount* begin_nudge() noexcept { return nullptr; }
  /// Whether who receives on the other side sleeps, as far as a mere look tells.
  [[nodiscard]] virtual bool peer_sleeps() const noexcept { return true; }
  /// Whether it has bytes of which the descriptor tells nothing any more.
  virtual bool buffered() { return false; }
  virtual void encode(Encoder& encoder) = 0;
  [[nodiscard]] virtual bool readable() const noexcept = 0;
  [[nodiscard]] virtual bool writable() const noexcept = 0;
  /// Whether it leads out of this tree of processes, where nobody shares its memory.
  [[nodiscard]] virtual bool untrusted() const noexcept { return false; }

  /// Bytes of the largest message that it takes from the other side.
  [[nodiscard]] virtual std::uint64_t most_taken() const noexcept { return ~std::uint64_t{0}; }
  /// The other side takes no larger messages than that, as it has said: `send` refuses them from
  /// now on, by a ProcessError and before anything is sent. Only for one that leads out of the
  /// tree.
  virtual void limit_sent(std::uint64_t /*most*/) noexcept {}
  [[nodiscard]] virtual std::uint64_t most_sent() const noexcept { return ~std::uint64_t{0}; }

  /// Whether receiving is to sleep without having waited awake first: somebody else needs the
  /// processor more. Of no account where it sleeps at once anyway.
  void sleep_at_once(bool wanted) noexcept {
    sleeps_at_once_.store(wanted, std::memory_order_relaxed);
  }

  /// What is waiting on it in another thread notices when its nap is over.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept { return (state_ & kClosed) != 0; }
  /// It is for this process alone: the child of a fork finds it closed.
  void close_in_forks() noexcept { closed_in_forks_ = true; }

  /// The descriptor, open to the end of the scope. Throws ProcessError when it was closed.
  class Use {
   public:
    explicit Use(Transport& transport) : transport_(transport) { transport.enter(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() { transport_.leave(); }
    [[nodiscard]] int descriptor() const noexcept { return transport_.descriptor_; }

   private:
    Transport& transport_;
  };

  [[noreturn]] static void refuse_closed();

 protected:
  explicit Transport(platform::Descriptor descriptor) noexcept;
  /// Whether the descriptor is just closed, when nobody uses it any more.
  [[nodiscard]] virtual bool closes_at_once() const noexcept { return true; }
  /// Ends the use of a descriptor that is not.
  virtual void part(platform::Descriptor descriptor) noexcept { descriptor.reset(); }
  /// The descriptor has been closed.
  virtual void left() noexcept = 0;
  /// This process is about to be forked.
  virtual void before_fork() noexcept {}
  /// This is its copy in a process that has just been forked.
  virtual void forked() noexcept {}
  /// This process is about to end, and what it has open is to be brought to an end now.
  virtual void end(std::vector<channel::Unclosed>& /*unclosed*/) {}
  [[nodiscard]] bool for_this_process_alone() const noexcept { return closed_in_forks_; }
  [[nodiscard]] bool sleeps_at_once() const noexcept {
    return sleeps_at_once_.load(std::memory_order_relaxed);
  }

 private:
  friend class Transports;

  static constexpr std::uint32_t kClosed = 1;
  static constexpr std::uint32_t kUse = 2;

  void enter();
  void leave() noexcept;
  enum class Shut {
    now,
    made,  ///< by who has a Making
    copy,  ///< in the child of a fork
  };
  void shut(Shut how) noexcept;

  std::atomic<std::uint32_t> state_{0};  ///< kClosed, and kUse for each call that is under way
  std::atomic<int> descriptor_;
  std::atomic<bool> closed_in_forks_{false};
  std::atomic<bool> sleeps_at_once_{false};
  bool inherited_ = false;  ///< by a fork
  Transport* next_ = nullptr;
  Transport* prev_ = nullptr;
};

/// All of them.
class Transports {
 public:
  /// No fork begins as long as there is one of these: its child would have a descriptor that nobody
  /// has listed yet, and would keep the other side from seeing an end. Holds a mutex, so nothing is
  /// waited for meanwhile.
  class Making {
   public:
    Making() noexcept;
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;
    ~Making();
  };

  static void add(Transport& transport) noexcept;
  static void remove(Transport& transport) noexcept;

  /// Whether this process ever had one.
  static bool used() noexcept { return ever_used.load(std::memory_order_relaxed); }
  /// What is still open, and has to be brought to an end with this process.
  static std::vector<channel::Unclosed> unclosed() noexcept;

  /// Closes those that this process inherited by a fork and for which `which` is true.
  template <class Predicate>
  static void close_inherited(Predicate which) {
    const Making making;
    lock();
    for (Transport* one = first(); one != nullptr; one = one->next_) {
      if (one->inherited_ && which(*one) && (one->state_.fetch_or(Transport::kClosed) == 0))
        one->shut(Transport::Shut::made);
    }
    unlock();
  }

 private:
  static void lock() noexcept;
  static void lock_for_fork() noexcept;
  static void unlock() noexcept;
  static void unlock_after_fork() noexcept;
  static void watch_forks() noexcept;
  static Transport* first() noexcept;
  static void after_fork_in_child() noexcept;

  static inline constinit std::atomic<bool> ever_used{false};
};

}  // namespace procession::detail
