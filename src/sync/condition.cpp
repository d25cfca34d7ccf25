#include "procession/condition.hpp"

#include <algorithm>
#include <chrono>

#include "heap/testing.hpp"
#include "procession/error.hpp"
#include "sync/condition_core.hpp"
#include "sync/lock_access.hpp"

namespace procession {

namespace {

constexpr const char* kCondition = "a Condition";

using Waiter = sync::ConditionWaiter<sync::System>;

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
    waiter.liveness.init();
}

/// Under the lock. One who was killed over making a page may have left its name, and no page.
Page* next(const Page& page) {
  return page.next == 0 ? nullptr : heap::at<Page>(heap::settled(page.next));
}

/// The pages, as ConditionOn goes over them.
struct Pages {
  ConditionObject& condition;

  std::uint64_t& turns() const { return condition.turns; }

  template <class F>
  Waiter* find(F f) const {
    for (Page* page = &condition.first; page != nullptr; page = next(*page)) {
      for (Waiter& waiter : page->waiters) {
        if (f(waiter)) return &waiter;
      }
    }
    return nullptr;
  }

  void more() const {
    Page* last = &condition.first;
    while (Page* const after = next(*last))
      last = after;
    heap::Block block(sizeof(Page), true);
    init(*heap::at<Page>(block.offset()));
    const heap::Offset made = block.offset();
    heap::testing::step();
    heap::move(block.hold_id(), heap::offset_of(&condition), &last->next, made);
    static_cast<void>(block.release());
  }
};

using On = sync::ConditionOn<sync::System, Pages>;

/// The condition's lock, which is given up whole.
struct GivenUp {
  sync::LockObject& lock;
  std::uint32_t depth = 0;

  void release() { depth = sync::release_fully(lock, kCondition); }
  void restore() const { sync::restore(lock, depth, kCondition); }
};

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
  GivenUp given_up{lock};
  return On({condition}).wait(deadline, given_up);
}

void Condition::notify(std::size_t n) const {
  ConditionObject& condition = condition_of(handle_);
  const sync::LockObject& lock = detail::LockAccess::object(lock_of(lock_));
  if (!sync::is_owned(lock)) sync::throw_not_owned(lock, "notify with", kCondition);
  On({condition}).notify(n);
}

Condition::Until::Until(Timeout timeout) {
  const auto end = platform::moment_in(timeout.value_or(Duration::max()));
  if (end != std::chrono::steady_clock::time_point::max()) end_ = end.time_since_epoch();
}

Timeout Condition::Until::left() const {
  return end_ ? Timeout(std::max(Duration::zero(), *end_ - now())) : std::nullopt;
}

}  // namespace procession
