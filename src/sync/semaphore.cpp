#include "procession/semaphore.hpp"

#include <limits>
#include <stdexcept>
#include <string>

#include "procession/error.hpp"
#include "sync/object.hpp"
#include "sync/semaphore_core.hpp"

namespace procession::detail {

namespace {

struct SemaphoreObject {
  ObjectHeader header;
  sync::SemaphoreBody<sync::System> body;
};

sync::SemaphoreBody<sync::System>& body_of(const Handle& handle) {
  return handle.object<SemaphoreObject>("a Semaphore").body;
}

sync::SemaphoreOn<sync::System> semaphore_of(const Handle& handle) {
  return sync::SemaphoreOn<sync::System>(body_of(handle));
}

ObjectHeader header(bool bounded) {
  return sync::header(bounded ? sync::Kind::bounded_semaphore : sync::Kind::semaphore);
}

constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();

std::uint32_t checked(std::int64_t value) {
  if (value < 0 || value > kMost) {
    throw std::invalid_argument("a semaphore with " + std::to_string(value) +
                                " permits was asked for; it can have 0 to " +
                                std::to_string(kMost));
  }
  return static_cast<std::uint32_t>(value);
}

}  // namespace

SemaphoreHandle::SemaphoreHandle(std::int64_t value, bool bounded)
    : handle_(sync::make_object<SemaphoreObject>(
          header(bounded), [&](SemaphoreObject& made, heap::Offset) {
            made.body.value = checked(value);
            made.body.most = bounded ? checked(value) : static_cast<std::uint32_t>(kMost);
          })) {}

void SemaphoreHandle::decode(Decoder& decoder, bool bounded) {
  handle_ =
      Handle::decode(decoder, header(bounded), bounded ? "a BoundedSemaphore" : "a Semaphore");
}

void SemaphoreHandle::acquire() const { static_cast<void>(try_acquire_for({})); }

bool SemaphoreHandle::try_acquire() const { return semaphore_of(handle_).take(); }

bool SemaphoreHandle::try_acquire_for(Timeout timeout) const {
  auto semaphore = semaphore_of(handle_);
  return semaphore.acquire(platform::Deadline(timeout));
}

void SemaphoreHandle::release(std::int64_t n) const {
  if (n < 1) {
    throw std::invalid_argument("asked to give a semaphore " + std::to_string(n) +
                                " permits; it can be given 1 or more at a time");
  }
  std::uint32_t found = 0;
  if (!semaphore_of(handle_).release(n, found)) {
    throw ProcessError("asked to give a semaphore " + std::to_string(n) + " permits, which has " +
                       std::to_string(found) + " and may have " +
                       std::to_string(body_of(handle_).most) +
                       "; release() was called more often than acquire()");
  }
}

std::uint32_t SemaphoreHandle::value() const { return body_of(handle_).value; }

}  // namespace procession::detail
