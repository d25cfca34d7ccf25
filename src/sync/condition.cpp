#include "procession/condition.hpp"

#include <algorithm>
#include <chrono>

#include "heap/testing.hpp"
#include "procession/error.hpp"
#include "sync/lock_access.hpp"
#include "sync/presence.hpp"
#include "sync/wait_word.hpp"

namespace procession {

namespace {

using heap::testing::step;

constexpr const char* kCondition = "a Condition";

/// A waiter. All but `word` changes under the condition's lock.
struct Waiter {
  sync::Presence presence;
  std::uint64_t turn;  ///< who came first has the lowest; 0: nobody waits here
  std::atomic<std::uint32_t> notified;
  sync::WaitWord word;
};

/// Waiters lie in pages, of which there are as many as there were ever waiters at a time.
struct Page {
  static constexpr std::size_t kRoom = 14;
  Waiter waiters[kRoom];
  heap::Offset next;  ///< a block that the condition's block holds; 0: none yet
};

struct ConditionObject {
  detail::ObjectHeader header;
  std::uint64_t turns;  ///< under the lock: how many have come to wait
  Page first;
};

ConditionObject& condition_of(const detail::Handle& handle) {
  return handle.object<ConditionObject>(kCondition);
}

void init(Page& page) {
  for (Waiter& waiter : page.waiters)
    waiter.presence.init();
}

/// Under the lock. One who was killed over making a page may have left its name, and no page.
Page* next(const Page& page) {
  return page.next == 0 ? nullptr : heap::at<Page>(heap::settled(page.next));
}

/// Under the lock. One who is killed here leaves a page that nobody uses, or a place in it whose
/// occupant is seen to be dead.
Waiter& enter(ConditionObject& condition) {
  for (Page* page = &condition.first;; page = next(*page)) {
    for (Waiter& waiter : page->waiters) {
      if (!waiter.presence.enter()) continue;
      step();
      waiter.notified = 0;
      step();
      waiter.turn = ++condition.turns;
      step();
      return waiter;
    }
    if (next(*page) == nullptr) {
      heap::Block block(sizeof(Page), true);
      init(*heap::at<Page>(block.offset()));
      const heap::Offset made = block.offset();
      step();
      heap::move(block.ticket(), heap::offset_of(&condition), &page->next, made);
      static_cast<void>(block.release());
    }
  }
}

/// Under the lock. `turn` goes last: a waiter without one would never be chosen again.
void wake(Waiter& waiter) {
  waiter.notified = 1;
  step();
  waiter.turn = 0;
  step();
  waiter.word.wake_all();
}

/// Under the lock: the one who has waited longest, of those who live; null when nobody waits.
Waiter* longest_waiting(ConditionObject& condition) {
  for (;;) {
    Waiter* first = nullptr;
    for (Page* page = &condition.first; page != nullptr; page = next(*page)) {
      for (Waiter& waiter : page->waiters) {
        if (waiter.turn != 0 && (first == nullptr || waiter.turn < first->turn)) first = &waiter;
      }
    }
    if (first == nullptr) return nullptr;
    if (!first->presence.occupied()) {
      first->turn = 0;  // killed while it waited
    } else if (first->notified != 0) {
      wake(*first);  // chosen by one who was killed over it
    } else {
      return first;
    }
  }
}

template <class Locks>
const detail::LockHandle& lock_of(const Locks& locks) {
  return std::visit([](const auto& lock) -> const detail::LockHandle& { return lock; }, locks);
}

Duration now() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

Condition::Condition() { make(); }
Condition::Condition(const Lock& lock) : lock_(lock) { make(); }
Condition::Condition(const RLock& lock) : lock_(lock) { make(); }

void Condition::make() {
  handle_ = sync::make_object<ConditionObject>(
      sync::header(sync::Kind::condition),
      [](ConditionObject& made, heap::Offset) { init(made.first); });
}

void Condition::write(Encoder& encoder) const {
  handle_.encode(encoder, kCondition);
  procession::encode(encoder, lock_);
}

void Condition::read(Decoder& decoder) {
  handle_ = detail::Handle::decode(decoder, sync::header(sync::Kind::condition), kCondition);
  procession::decode(decoder, lock_);
}

bool Condition::wait(Timeout timeout) const {
  ConditionObject& condition = condition_of(handle_);
  sync::LockObject& lock = detail::LockAccess::object(lock_of(lock_));
  const platform::Deadline deadline(timeout);
  if (!sync::is_owned(lock)) sync::throw_not_owned(lock, "wait with", kCondition);
  Waiter& self = enter(condition);
  const std::uint32_t depth = sync::release_fully(lock, kCondition);
  sync::Sleeper sleeper(deadline);
  while (self.notified == 0) {
    const std::uint32_t seen = self.word.prepare();
    if (self.notified != 0 || !sleeper.sleep(self.word, seen)) break;
  }
  sync::restore(lock, depth, kCondition);
  const bool notified = self.notified != 0;
  step();
  self.turn = 0;
  step();
  self.presence.leave();
  step();
  return notified;
}

void Condition::notify(std::size_t n) const {
  ConditionObject& condition = condition_of(handle_);
  const sync::LockObject& lock = detail::LockAccess::object(lock_of(lock_));
  if (!sync::is_owned(lock)) sync::throw_not_owned(lock, "notify with", kCondition);
  for (; n > 0; --n) {
    Waiter* const waiter = longest_waiting(condition);
    if (waiter == nullptr) return;
    step();
    wake(*waiter);
  }
}

Condition::Until::Until(Timeout timeout) {
  const auto end = platform::moment_in(timeout.value_or(Duration::max()));
  if (end != std::chrono::steady_clock::time_point::max()) end_ = end.time_since_epoch();
}

Timeout Condition::Until::left() const {
  return end_ ? Timeout(std::max(Duration::zero(), *end_ - now())) : std::nullopt;
}

}  // namespace procession
