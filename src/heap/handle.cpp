#include "procession/detail/handle.hpp"

#include <memory>
#include <mutex>
#include <string>

#include "heap/local_hold.hpp"
#include "procession/codec.hpp"
#include "procession/detail/mixed_name.hpp"
#include "procession/error.hpp"

namespace procession::detail {

namespace {

// Never destroyed: handles that are static objects go after everything else.
std::mutex& mutex() {
  static auto* const one = new std::mutex;
  return *one;
}
LocalHold* first = nullptr;

thread_local bool vacant = false;

}  // namespace

void LocalHolds::add(LocalHold& hold) noexcept {
  const std::lock_guard guard(mutex());
  hold.next_ = first;
  if (first != nullptr) first->prev_ = &hold;
  first = &hold;
}

bool LocalHolds::remove(LocalHold& hold) noexcept {
  {
    const std::lock_guard guard(mutex());
    (hold.prev_ != nullptr ? hold.prev_->next_ : first) = hold.next_;
    if (hold.next_ != nullptr) hold.next_->prev_ = hold.prev_;
  }
  if (hold.hold_id_ == 0) return false;  // there was no room for it when this process was forked
  struct Lockable {
    ObjectHeader header;
    alignas(64) std::atomic<heap::Offset> owner;
  };
  const auto& object = *heap::at<Lockable>(heap::target(hold.hold_id_));
  if ((object.header.kind & kLockable) != 0 && object.owner == heap::self()) {
    return false;  // held until this process ends
  }
  return heap::drop(hold.hold_id_);
}

void LocalHolds::before_fork(heap::Offset record) noexcept {
  mutex().lock();
  bool has_room = record != 0;
  for (LocalHold* hold = first; hold != nullptr; hold = hold->next_) {
    hold->child_hold_id_ = 0;
    if (!has_room || hold->hold_id_ == 0) continue;
    try {
      hold->child_hold_id_ = heap::hold(heap::target(hold->hold_id_), record);
    } catch (...) {
      has_room = false;  // each further one would look through the whole heap in vain
    }
  }
}

void LocalHolds::after_fork_in_parent() noexcept { mutex().unlock(); }

void LocalHolds::after_fork_in_child() noexcept {
  for (LocalHold* hold = first; hold != nullptr; hold = hold->next_) {
    hold->hold_id_ = hold->child_hold_id_;
  }
  mutex().unlock();
}

Handle Handle::own(std::uint64_t hold_id) {
  heap::Block block = heap::Block::own(hold_id);
  auto hold = std::make_unique<LocalHold>(hold_id);
  LocalHolds::add(*hold);
  Handle handle;
  handle.object_ = block.data();
  handle.hold_ = hold.release();
  static_cast<void>(block.release());
  return handle;
}

void Handle::share() const noexcept {
  if (hold_ != nullptr) hold_->share();
}

void Handle::release() noexcept { static_cast<void>(leave()); }

bool Handle::leave() noexcept {
  object_ = nullptr;
  LocalHold* const hold = std::exchange(hold_, nullptr);
  if (hold == nullptr || !hold->leave()) return false;
  const bool last = LocalHolds::remove(*hold);
  delete hold;
  return last;
}

void Handle::encode(Encoder& encoder, const char* what) const {
  if (object_ == nullptr) refuse_empty(what);
  const heap::Offset offset = heap::offset_of(object_);
  encoder.attach(offset);
  procession::encode(encoder, mix_offset(offset));
}

Handle Handle::decode(Decoder& decoder, ObjectHeader expected, const char* what) {
  decoder.refuse_untrusted(what);
  const heap::Offset offset = unmix_offset(procession::decode<heap::Offset>(decoder));
  heap::Block block;
  try {
    block = heap::Block::own(heap::hold(offset, heap::self()));
  } catch (const OutOfMemory&) {
    throw;
  } catch (const ProcessError& error) {
    throw DecodeError("asked to decode " + std::string(what) + ": " + error.what());
  }
  const auto& found = *heap::at<ObjectHeader>(offset);
  // What users write may look like an object.
  if (!heap::is_in(offset, heap::Region::library) || found.kind != expected.kind ||
      found.fingerprint != expected.fingerprint) {
    throw DecodeError("asked to decode " + std::string(what) +
                      ", found the name of another kind of object, or of one with other elements; "
                      "the bytes are damaged, or were encoded as another type");
  }
  return own(block.release());
}

void Handle::refuse_empty(const char* what) {
  throw ProcessError("asked to use " + std::string(what) +
                     " that names nothing: it was moved from, closed, or made without arguments; "
                     "use the one it was moved to, or make a new one");
}

bool vacant_handles() noexcept { return vacant; }

VacantHandles::VacantHandles(bool want) noexcept : before_(vacant) { vacant = want; }
VacantHandles::~VacantHandles() { vacant = before_; }

}  // namespace procession::detail
