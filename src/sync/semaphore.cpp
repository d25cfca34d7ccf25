#include "procession/semaphore.hpp"

#include <limits>
#include <stdexcept>
#include <string>

#include "heap/testing.hpp"
#include "procession/error.hpp"
#include "sync/object.hpp"
#include "sync/wait_word.hpp"

namespace procession::detail {

namespace {

struct SemaphoreObject {
  ObjectHeader header;
  std::uint32_t most;
  std::atomic<std::uint32_t> value;
  sync::WaitWord waiters;
};

SemaphoreObject& semaphore_of(const Handle& handle) {
  return handle.object<SemaphoreObject>("a Semaphore");
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

bool take(SemaphoreObject& semaphore) noexcept {
  std::uint32_t found = semaphore.value.load();
  while (found != 0 && !semaphore.value.compare_exchange_weak(found, found - 1)) {
  }
  heap::testing::step();
  return found != 0;
}

}  // namespace

SemaphoreHandle::SemaphoreHandle(std::int64_t value, bool bounded)
    : handle_(sync::make_object<SemaphoreObject>(
          header(bounded), [&](SemaphoreObject& made, heap::Offset) {
            made.value = checked(value);
            made.most = bounded ? checked(value) : static_cast<std::uint32_t>(kMost);
          })) {}

void SemaphoreHandle::decode(Decoder& decoder, bool bounded) {
  handle_ =
      Handle::decode(decoder, header(bounded), bounded ? "a BoundedSemaphore" : "a Semaphore");
}

void SemaphoreHandle::acquire() const { static_cast<void>(try_acquire_for({})); }

bool SemaphoreHandle::try_acquire() const { return take(semaphore_of(handle_)); }

bool SemaphoreHandle::try_acquire_for(Timeout timeout) const {
  SemaphoreObject& semaphore = semaphore_of(handle_);
  const platform::Deadline deadline(timeout);
  sync::Sleeper sleeper(deadline);
  while (!take(semaphore)) {
    const std::uint32_t seen = semaphore.waiters.prepare();
    if (take(semaphore)) break;
    if (!sleeper.sleep(semaphore.waiters, seen)) return false;
  }
  if (sleeper.leave(semaphore.waiters) && semaphore.value != 0) semaphore.waiters.wake_one();
  return true;
}

void SemaphoreHandle::release(std::int64_t n) const {
  if (n < 1) {
    throw std::invalid_argument("asked to give a semaphore " + std::to_string(n) +
                                " permits; it can be given 1 or more at a time");
  }
  SemaphoreObject& semaphore = semaphore_of(handle_);
  std::uint32_t found = semaphore.value.load();
  do {
    if (n > std::int64_t{semaphore.most} - found) {
      throw ProcessError("asked to give a semaphore " + std::to_string(n) + " permits, which has " +
                         std::to_string(found) + " and may have " + std::to_string(semaphore.most) +
                         "; release() was called more often than acquire()");
    }
  } while (!semaphore.value.compare_exchange_weak(found, found + static_cast<std::uint32_t>(n)));
  heap::testing::step();
  if (n == 1) {
    semaphore.waiters.wake_one();
  } else {
    semaphore.waiters.wake_all();
  }
}

std::uint32_t SemaphoreHandle::value() const { return semaphore_of(handle_).value; }

}  // namespace procession::detail
