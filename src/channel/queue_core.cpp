#include "procession/detail/queue_core.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "channel/handover.hpp"
#include "channel/queue_object.hpp"
#include "channel/queue_wait.hpp"
#include "procession/error.hpp"

namespace procession::detail {

namespace {

using namespace channel;

constexpr std::uint64_t kQueueKind = 0x6575'6575'71;

QueueObject& object(const Handle& handle, const char* what) {
  return handle.object<QueueObject>(what);
}

}  // namespace

QueueCore::QueueCore(std::size_t maxsize, std::uint64_t fingerprint, const char* what)
    : what_(what) {
  if (vacant_handles()) {
    return;
  }
  heap::Block block(sizeof(QueueObject), true);
  QueueObject& queue = *heap::at<QueueObject>(block.offset());
  queue.header = {kQueueKind, fingerprint};
  queue.maxsize = std::min<std::size_t>(maxsize, 0xffff'ffff);
  queue.made =
      static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  for (Side* side : {&queue.producers, &queue.consumers}) {
    side->mutex.init();
    side->mark = kFirstMark;
    side->other_seen = kFirstMark;
  }
  queue.producer.init();
  queue.consumer.init();
  make_ring(queue, block.offset());
  handle_ = Handle::own(block.release());
}

void QueueCore::decode(Decoder& decoder, std::uint64_t fingerprint) {
  handle_ = Handle::decode(decoder, {kQueueKind, fingerprint}, what_);
}

std::size_t QueueCore::size() const {
  auto& queue = handle_.object<QueueObject>(what_);
  for (;;) {
    const Mark head = queue.consumers.at();
    const Mark tail = queue.producers.at();
    // A consumer, which may be dead, may have the first one already.
    const bool taken = queue.consumers.may_have_handed(head) && queue.consumers.has_handed(head);
    if (head == queue.consumers.at()) {
      return items_between(head, tail) - (taken ? 1 : 0);
    }
  }
}

bool QueueCore::full() const {
  const QueueObject& queue = object(handle_, what_);
  return queue.maxsize != 0 && size() >= queue.maxsize;
}

void QueueCore::shutdown() const {
  QueueObject& queue = object(handle_, what_);
  {
    const SideLock lock(queue, queue.producers);
    store(queue.shut, 1U);
  }
  queue.items.wake_all();
  queue.room.wake_all();
}

void QueueCore::task_done() const {
  QueueObject& queue = object(handle_, what_);
  std::uint32_t done = queue.done.load();
  do {
    if (done == count_put(queue)) {
      throw ProcessError(
          "asked to count an item of a JoinableQueue as done, but all that were put are done with; "
          "task_done() is called once for each item");
    }
  } while (!queue.done.compare_exchange_weak(done, done + 1));
  if (done + 1 == count_put(queue)) {
    queue.finished.wake_all();
  }
}

bool QueueCore::join(Timeout timeout) const {
  QueueObject& queue = object(handle_, what_);
  const auto all_done = [&] {
    const std::uint32_t done = queue.done;  // first: there are never more of them
    if (done != count_put(queue)) return false;
    withdraw_of_dead(queue);
    return done == count_put(queue);
  };
  return wait_until_done({queue.finished, queue.pauses}, timeout, false, all_done, all_done);
}

}  // namespace procession::detail
