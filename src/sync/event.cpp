#include "procession/event.hpp"

#include "sync/event_core.hpp"
#include "sync/object.hpp"

namespace procession {

namespace {

struct EventObject {
  detail::ObjectHeader header;
  sync::EventBody<sync::System> body;
};

sync::EventOn<sync::System> event_of(const detail::Handle& handle) {
  return sync::EventOn<sync::System>(handle.object<EventObject>("an Event").body);
}

}  // namespace

Event::Event()
    : handle_(sync::make_object<EventObject>(sync::header(sync::Kind::event),
                                             [](EventObject&, heap::Offset) {})) {}

void Event::read(Decoder& decoder) {
  handle_ = detail::Handle::decode(decoder, sync::header(sync::Kind::event), "an Event");
}

void Event::set() const { event_of(handle_).set(); }

void Event::clear() const { event_of(handle_).clear(); }

bool Event::is_set() const { return event_of(handle_).is_set(); }

bool Event::wait(Timeout timeout) const {
  auto event = event_of(handle_);
  return event.wait(platform::Deadline(timeout));
}

}  // namespace procession
