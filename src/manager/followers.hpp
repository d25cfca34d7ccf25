// The threads of a server's sessions where many clients call at once.
//
// Each session has a thread of its own, which sleeps in the client's pipe: a call costs a wake-up
// of that thread, and one of the client. In a crowd, whose requests come one upon the other and are
// answered within microseconds, the first is saved: a thread that has answered its client joins the
// others here, and one of them, the *leader*, looks at the rings of all of them and answers what it
// finds, whose it may be. The bells of those rings stay rung, so their clients ring none. When
// nobody asks for anything, the leader sleeps on a word that all clients look at when they have
// sent a request.
//
//     own thread -- quick answer in a crowd --> follower -- leader gone, or stuck --> leader
//         ^                                        |                                    |
//         +------ slow, silent, ended, or no crowd any more; then the next leads -------+
//
// A client wakes up on some processor, perhaps on the leader's; many that do are in its way and in
// each other's. So the leader wakes no more clients with their replies than can run beside it,
// until those have called again (*expected*) or have not for a while. A client that is awake is
// answered at once, and calls again without having slept (leader_state.hpp): the two of them need
// the kernel no more.
//
// Kernels wake a process where it ran last, or where its waker runs, unless they have found an idle
// processor, for which they do not look on a busy machine. On the leader's processor it interrupts
// the leader, makes one call and sleeps again, there, and so for ever. So while others are
// expected, the leader answers one more client and leaves it asleep (*held*): the next client that
// falls asleep wakes it, as a rule onto the processor that this one leaves, and without the leader.
// And when clients are woken on the leader's processor all the same, another thread leads, one that
// ran elsewhere last.
//
// A call may take long, or wait for another one. So one follower, the *deputy*, sleeps for no
// longer than kPatience, and if the leader has been at the same request all the time, takes over,
// and sets free whoever waits. The leader of that time goes on with the request, as the thread of
// that session from now on; the thread which that session had is now the one of the old leader's
// session. So nothing has to be undone, whether the leader was stuck or merely had no processor.
//
// Who is silent for kSilence goes back to its own pipe, where its thread sleeps and notices the
// client's end. A server without requests is one without leader and followers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "manager/leader_state.hpp"
#include "manager/session.hpp"
#include "procession/detail/handle.hpp"
#include "sync/adaptive_spin.hpp"

namespace procession::manager {

/// Thread-safe.
class Followers {
 public:
  /// `leader` lies in `block`, which is kept.
  Followers(detail::Handle block, LeaderState& leader);
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;
  ~Followers() = default;

  /// For the thread of `session`: returns when it is to wait for the session's requests by itself
  /// again. It may be another session then; until then the caller has none.
  void join(SessionPtr& session);

 private:
  using Clock = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;

  /// A thread, to be found on its stack.
  struct Follower {
    SessionPtr session;
    Clock::time_point heard{};  ///< when there was a request last
    bool expected = false;      ///< it was answered, and did not call again yet
    bool free = false;          ///< it is not one of these any more
    unsigned cpu = 0;           ///< where it ran last
    std::condition_variable woken{};
  };

  // All of them with the lock; where it is passed on, it is given back for a while, and the leader
  // may be another one afterwards.
  void follow(Lock& lock, Follower& me);
  void lead(Lock& lock, Follower& me);
  /// Whether there was one.
  bool answer_awake(Lock& lock, const Follower& me);
  bool answer_awake(Lock& lock, const Follower& me, const std::vector<Follower*>& these,
                    Clock::time_point now);
  /// Holds the client, if it dozes, unless it is to `wake` it.
  void answer(Lock& lock, const Follower& me, Follower& one, bool wake);
  /// Returns when the client that is held has been woken, by another one or now.
  void release_held() noexcept;
  void note_released() noexcept;
  void change_processor(Follower& me);
  void sleep(Lock& lock);
  void watch(Lock& lock, Follower& me);
  void take_over(Follower& me);
  void set_free(Follower& one);
  void appoint_deputy();
  void set_expected(Follower& one, bool expected) noexcept;
  void expect_nobody() noexcept;
  /// The next one in turn with a request; null when there is none.
  Follower* next_waiting() noexcept;
  [[nodiscard]] bool has_come() const noexcept;
  [[nodiscard]] bool has_request() const noexcept;

  const detail::Handle block_;
  LeaderState& state_;
  std::mutex mutex_;
  std::vector<Follower*> all_;  ///< with the leader
  Follower* leader_ = nullptr;
  Follower* deputy_ = nullptr;
  Follower* answered_ = nullptr;  ///< whose request the leader is at
  Follower* held_ = nullptr;      ///< who was answered and is left asleep for another one to wake
  std::uint64_t answers_ = 0;     ///< requests that were begun
  std::size_t next_ = 0;          ///< whose turn it is to be woken
  Clock::time_point scanned_{};   ///< when requests of all were looked for last
  unsigned displaced_ = 0;        ///< how often a client was on the leader's processor
  std::vector<Follower*> expected_;  ///< those that are, with room for all
  unsigned most_expected_ = 1;       ///< how many may be
  // Of the leader.
  sync::AdaptiveSpin spin_;
  sync::AdaptiveSpin spin_expected_;  ///< while another client waits
};

}  // namespace procession::manager
