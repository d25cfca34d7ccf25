#include "channel/deferred_failure.hpp"

#include <algorithm>
#include <cstdint>
#include <list>
#include <utility>

namespace procession::channel {

constinit thread_local std::size_t deferred_failures = 0;

namespace {

/// The queue is not held, and may be gone.
struct DeferredFailure {
  const QueueObject* queue;
  std::uint64_t made;  ///< the queue; another one may have its place
  std::exception_ptr thrown;
};

std::list<DeferredFailure>& deferred_list() {
  static thread_local std::list<DeferredFailure> all;
  return all;
}

}  // namespace

void defer_failure(const QueueObject& queue, std::exception_ptr thrown) {
  deferred_list().push_back({&queue, queue.made, std::move(thrown)});
  ++deferred_failures;
}

void throw_deferred_of(const QueueObject& queue) {
  std::list<DeferredFailure>& all = deferred_list();
  const auto first = std::find_if(all.begin(), all.end(), [&](const DeferredFailure& one) {
    return one.queue == &queue && one.made == queue.made;
  });
  if (first == all.end()) {
    return;
  }
  const std::exception_ptr thrown = std::move(first->thrown);
  all.erase(first);
  --deferred_failures;
  std::rethrow_exception(thrown);
}

}  // namespace procession::channel
