#include "procession/event.hpp"

#include "heap/testing.hpp"
#include "sync/object.hpp"
#include "sync/wait_word.hpp"

namespace procession {

namespace {

struct EventObject {
  detail::ObjectHeader header;
  /// Bit 0: it is set. Bits 1-31: how often it was, by which a waiter learns of a moment that it
  /// missed.
  std::atomic<std::uint32_t> state;
  sync::WaitWord waiters;
};

EventObject& event_of(const detail::Handle& handle) {
  return handle.object<EventObject>("an Event");
}

}  // namespace

Event::Event()
    : handle_(sync::make_object<EventObject>(sync::header(sync::Kind::event),
                                             [](EventObject&, heap::Offset) {})) {}

void Event::read(Decoder& decoder) {
  handle_ = detail::Handle::decode(decoder, sync::header(sync::Kind::event), "an Event");
}

void Event::set() const {
  EventObject& event = event_of(handle_);
  std::uint32_t found = event.state.load();
  while ((found & 1) == 0 && !event.state.compare_exchange_weak(found, (found + 2) | 1)) {
  }
  heap::testing::step();
  event.waiters.wake_all();
}

void Event::clear() const { event_of(handle_).state.fetch_and(~1U); }

bool Event::is_set() const { return (event_of(handle_).state.load() & 1) != 0; }

bool Event::wait(Timeout timeout) const {
  EventObject& event = event_of(handle_);
  const platform::Deadline deadline(timeout);
  sync::Sleeper sleeper(deadline);
  const std::uint32_t before = event.state.load() & ~1U;
  const auto happened = [&] {
    const std::uint32_t now = event.state.load();
    return (now & 1) != 0 || now != before;
  };
  while (!happened()) {
    const std::uint32_t seen = event.waiters.prepare();
    if (happened()) break;
    if (!sleeper.sleep(event.waiters, seen)) return false;
  }
  sleeper.leave(event.waiters);
  return true;
}

}  // namespace procession
