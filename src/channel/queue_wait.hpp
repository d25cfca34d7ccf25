#pragma once

#include <string>

#include "channel/queue_object.hpp"
#include "channel/spin.hpp"
#include "platform/deadline.hpp"
#include "procession/error.hpp"
#include "sync/event_count.hpp"

namespace procession::channel {

[[noreturn]] inline void throw_shut_down(const char* asked) {
  throw ShutDown(std::string("asked to ") + asked +
                 " a queue that was shut down; nothing more goes through it");
}

/// Where one waits for something of which there is some amount.
struct WaitPlace {
  sync::EventCount& word;
  std::atomic<std::uint32_t>& pauses;  ///< see spin_until
};

/// What `wait_until_done` does when it has to wait.
template <class Attempt, class Amount>
[[gnu::noinline]] bool wait_and_attempt(const WaitPlace& place, const Timeout& timeout,
                                        const Attempt& attempt, const Amount& there) {
  const platform::Deadline deadline(timeout);
  if (deadline.passed()) {
    return false;
  }
  sync::Sleeper sleeper(deadline);
  // Awake at first only: who has slept looks once and sleeps on.
  for (bool found = spin_until(&place.word, place.pauses, there);; found = there() != 0) {
    if (!found) {
      const std::uint32_t seen = place.word.prepare();
      if (there() == 0) {
        if (!sleeper.sleep(place.word, seen)) {
          return attempt();
        }
        continue;
      }
    }
    if (attempt()) {
      // Where there is more, the next one may not have been woken for it.
      if (sleeper.leave(place.word) && there() != 0) {
        place.word.wake_one();
      }
      return true;
    }
  }
}

/// Runs `attempt`, which returns whether it did what it was to do, until it did or the deadline has
/// passed. In between waits until `there()` is not 0; before the first time too, where that is
/// `not_at_once` and there is time.
template <class Attempt, class Amount>
bool wait_until_done(const WaitPlace& place, const Timeout& timeout, bool not_at_once,
                     const Attempt& attempt, const Amount& there) {
  const bool waits_first = not_at_once && (!timeout || *timeout > Duration::zero());
  return (!waits_first && attempt()) || wait_and_attempt(place, timeout, attempt, there);
}

/// Wakes who waits for what there are now so many more of. The mutex was given back just before.
inline void wake_for(sync::EventCount& word, std::uint32_t more) {
  if (more == 1) {
    word.wake_one_after_unlock();
  } else {
    word.wake_all_after_unlock();
  }
}

}  // namespace procession::channel
