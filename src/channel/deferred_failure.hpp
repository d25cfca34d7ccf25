#pragma once

#include <cstddef>
#include <exception>

#include "channel/queue_object.hpp"

// What items threw that get_many() took off a queue together with good ones: those are returned,
// and each exception is thrown by a later call of the same thread on the same queue.
namespace procession::channel {

/// How many of this thread wait for that.
extern constinit thread_local std::size_t deferred_failures;

void defer_failure(const QueueObject& queue, std::exception_ptr thrown);
void throw_deferred_of(const QueueObject& queue);

/// Throws the first one of that queue, if there is any.
inline void throw_deferred(const QueueObject& queue) {
  if (deferred_failures != 0) [[unlikely]] {
    throw_deferred_of(queue);
  }
}

}  // namespace procession::channel
