// QueueCore: what gets.

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "channel/deferred_failure.hpp"
#include "channel/handover.hpp"
#include "channel/queue_object.hpp"
#include "channel/queue_wait.hpp"
#include "channel/spin.hpp"
#include "procession/detail/queue_core.hpp"

namespace procession::detail {

namespace {

using namespace channel;

/// How many items there are, as far as one can tell without the mutex; something when the queue was
/// shut down.
std::size_t items_in(const QueueObject& queue) {
  const std::size_t there = items_between(queue.consumers.at(), queue.producers.at());
  return there == 0 && queue.shut != 0 ? 1 : there;
}

/// Takes what there is; `read(head, record)` takes the first record, and may take more, and moves
/// the head over them. False: there is none.
template <class Read>
bool take(QueueObject& queue, const Read& read) {
  std::uint32_t more = 0;
  {
    const SideLock lock(queue, queue.consumers);
    const Mark before = queue.consumers.at();
    Mark head = before;
    std::byte* const record = first_record(queue, head);
    if (record == nullptr) {
      return false;
    }
    read(head, record);
    more = items_between(before, head);
    queue.consumers.publish(head);
  }
  if (queue.maxsize != 0) {
    wake_for(queue.room, more);
  }
  return true;
}

/// One attempt to get. Throws ShutDown when there is nothing, and nothing more will come.
template <class Read>
bool try_get(QueueObject& queue, const Read& read) {
  // Before the look at what is there: then nobody puts anything in between.
  const bool shut = queue.shut != 0;
  if (take(queue, read)) {
    return true;
  }
  if (shut) {
    throw_shut_down("take an item off");
  }
  return false;
}

/// In a stream of items, when all that were seen the last time are taken: more are found at once by
/// a look in a while, and the producers are less disturbed.
bool looks_later(QueueObject& queue) {
  Side& side = queue.consumers;
  return side.pauses.load(std::memory_order_relaxed) > kShortestWait &&
         items_between(side.at(), side.may_have_seen()) == 0;
}

template <class Read>
bool get(QueueObject& queue, const Timeout& timeout, const Read& read) {
  return wait_until_done(
      {queue.items, queue.consumers.pauses}, timeout, looks_later(queue),
      [&] { return try_get(queue, read); }, [&] { return items_in(queue); });
}

/// The same for who takes over an item besides that is offered, if there is a sink for it. Not
/// where there is no time for that.
template <class Read>
bool get(QueueObject& queue, const Timeout& timeout, FlatSink* sink, const Read& read) {
  if (sink == nullptr || (timeout && *timeout <= Duration::zero())) {
    return get(queue, timeout, read);
  }
  const platform::Deadline deadline(timeout);
  return wait_until_done(
      {queue.items, queue.consumers.pauses}, timeout, looks_later(queue),
      [&] { return try_get(queue, read) || take_over(queue, *sink, deadline); },
      [&] {
        const std::size_t there = items_in(queue);
        return there == 0 && offer_of(queue).state() == Offer::offered ? 1 : there;
      });
}

/// Takes over the block of the first record.
std::uint64_t take_block(QueueObject& queue, Mark& head, const std::byte* record) {
  const std::uint64_t hold_id = load_word(record + 8);
  // As where it was put: what was skipped goes first.
  if (head != queue.consumers.at()) {
    queue.consumers.publish(head);
  }
  heap::move(hold_id, heap::self(), &queue.consumers.handed, head.word);
  head = head.plus(span_of(load_word(record)), 1);
  return hold_id;
}

}  // namespace

void QueueCore::defer(std::exception_ptr thrown) const {
  defer_failure(handle_.object<QueueObject>(what_), std::move(thrown));
}

void QueueCore::throw_deferred() const {
  channel::throw_deferred(handle_.object<QueueObject>(what_));
}

bool QueueCore::get(ReceivedItem& item, Timeout timeout) const {
  auto& queue = handle_.object<QueueObject>(what_);
  channel::throw_deferred(queue);
  return detail::get(queue, timeout, item.sink_, [&](Mark& head, const std::byte* record) {
    const std::uint64_t word = load_word(record);
    if (record_of(word) == Record::block) {
      const std::size_t size = load_word(record + 16);
      item.hold_id_ = take_block(queue, head, record);
      item.bytes_ = {heap::at(heap::target(item.hold_id_)), size};
      return;
    }
    std::memcpy(item.inline_, record + 8, size_of(word));
    item.bytes_ = {item.inline_, size_of(word)};
    head = head.plus(span_of(word), 1);
  });
}

bool QueueCore::get(std::span<std::byte> into, Timeout timeout) const {
  auto& queue = handle_.object<QueueObject>(what_);
  channel::throw_deferred(queue);
  std::uint64_t found = 0;
  const std::uint64_t expected = record_word(Record::inside, into.size());
  const bool got = detail::get(queue, timeout, [&](Mark& head, const std::byte* record) {
    found = load_word(record);
    if (found == expected) {
      std::memcpy(into.data(), record + 8, into.size());
    } else if (record_of(found) == Record::block) {
      heap::drop(take_block(queue, head, record));
      return;
    }
    head = head.plus(span_of(found), 1);
  });
  if (got && found != expected) {
    throw DecodeError("asked to take an item of " + std::to_string(into.size()) +
                      " bytes off a queue, found one of " + std::to_string(size_of(found)) +
                      ", which is lost; another build of the program put it there");
  }
  return got;
}

bool QueueCore::get_many(ItemBatch& batch, FlatSink* sink, std::size_t most,
                         Timeout timeout) const {
  // So many at a time, between which others have the mutex.
  constexpr std::size_t kMostBytes = std::size_t{256} * 1024;
  auto& queue = handle_.object<QueueObject>(what_);
  channel::throw_deferred(queue);
  std::size_t end = 0;
  const auto read = [&](Mark& head, const std::byte* record) {
    end = batch.size_ + kMostBytes;
    try {
      for (; record != nullptr && batch.count_ < most && batch.size_ < end;
           record = first_record(queue, head)) {
        if (record_of(load_word(record)) == Record::block) {
          batch.expect_block();
          const std::size_t size = load_word(record + 16);
          batch.add_block(take_block(queue, head, record), size);
          queue.consumers.publish(head);  // at once: the next one may find no memory
          continue;
        }
        const std::uint32_t there = items_between(head, {queue.consumers.other_seen});
        const Run run = first_of(record, ring_of(queue).to_end(head.position()),
                                 std::min<std::size_t>(there, most - batch.count_));
        std::memcpy(batch.extend(run.bytes), record, run.bytes);
        batch.count_ += run.items;
        head = head.plus(run.bytes, run.items);
      }
    } catch (const std::bad_alloc&) {
      if (batch.count_ == 0) throw;  // else they are taken: the caller gets those
    }
  };
  if (!detail::get(queue, timeout, sink, read)) {
    return false;
  }
  // Where it stopped for no other reason.
  while (batch.count_ != 0 && batch.count_ < most && batch.size_ >= end && take(queue, read)) {
  }
  return true;
}

void throw_queue_empty() {
  throw Empty("waited for an item of a queue, and none has come; wait longer, or use try_get()");
}

}  // namespace procession::detail
