#include "procession/detail/queue_core.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "channel/queue_object.hpp"
#include "channel/spin.hpp"
#include "procession/error.hpp"

namespace procession::detail {

namespace {

using namespace channel;

constexpr std::uint64_t kQueueKind = 0x6575'6575'71;

QueueObject& object(const Handle& handle, const char* what) {
  return handle.object<QueueObject>(what);
}

[[noreturn]] void throw_shut_down(const char* asked) {
  throw ShutDown(std::string("asked to ") + asked +
                 " a queue that was shut down; nothing more goes through it");
}

/// Runs `attempt`, which returns whether it did what it was to do, until it did or the deadline has
/// passed. In between waits at `word` until `may_try()`.
template <class Attempt, class MayTry>
bool wait_until_done(sync::WaitWord& word, Timeout timeout, Attempt attempt, MayTry may_try) {
  if (timeout && *timeout < Duration::zero()) {
    static_cast<void>(platform::Deadline(timeout));  // throws
  }
  if (attempt()) {
    return true;
  }
  const platform::Deadline deadline(timeout);
  if (deadline.passed()) {
    return false;
  }
  sync::Sleeper sleeper(deadline);
  for (;;) {
    if (!spin_until(may_try)) {
      const std::uint32_t seen = word.prepare();
      if (!may_try() && !sleeper.sleep(word, seen)) {
        return attempt();
      }
    }
    if (attempt()) {
      // Where there is more, the next one may not have been woken for it.
      if (sleeper.leave(word) && may_try()) {
        word.wake_one();
      }
      return true;
    }
  }
}

/// Under the producers' mutex. What is written shows when `tail` is published.
bool write_inside(QueueObject& queue, Mark& tail, std::span<const std::byte> item) {
  const std::uint64_t word = record_word(Record::inside, item.size());
  std::byte* const record = room_for(queue, tail, span_of(word));
  if (record == nullptr) {
    return false;
  }
  store_word(record, word);
  std::memcpy(record + 8, item.data(), item.size());
  tail = tail.plus(span_of(word), 1);
  return true;
}

/// One attempt to put; `write(tail)` writes a record and moves the tail over it.
template <class Write>
bool try_put(QueueObject& queue, Write write) {
  {
    const SideLock lock(queue, queue.producers);
    if (queue.shut != 0) {
      throw_shut_down("put an item into");
    }
    Mark tail = queue.producers.at();
    if (is_full(queue, tail)) {
      return false;
    }
    write(tail);
    queue.producers.publish(tail);
  }
  queue.items.wake_one();
  return true;
}

template <class Write>
bool put(QueueObject& queue, Timeout timeout, Write write) {
  return wait_until_done(
      queue.room, timeout, [&] { return try_put(queue, write); },
      [&] {
        return queue.shut != 0 ||
               items_between(queue.consumers.at(), queue.producers.at()) < queue.maxsize;
      });
}

/// One attempt to get; `read(head, record)` takes the first record, and moves the head over it.
template <class Read>
bool try_get(QueueObject& queue, Read read) {
  {
    // Before the look at what is there: then nobody puts anything in between.
    const bool shut = queue.shut != 0;
    const SideLock lock(queue, queue.consumers);
    Mark head = queue.consumers.at();
    std::byte* const record = first_record(queue, head);
    if (record == nullptr) {
      if (shut) {
        throw_shut_down("take an item off");
      }
      return false;
    }
    read(head, record);
    queue.consumers.publish(head);
  }
  if (queue.maxsize != 0) {
    queue.room.wake_one();
  }
  return true;
}

template <class Read>
bool get(QueueObject& queue, Timeout timeout, Read read) {
  return wait_until_done(
      queue.items, timeout, [&] { return try_get(queue, read); },
      [&] {
        return queue.shut != 0 || items_between(queue.consumers.at(), queue.producers.at()) != 0;
      });
}

/// Takes over the block of the first record.
std::uint64_t take_block(QueueObject& queue, Mark& head, const std::byte* record) {
  const std::uint64_t ticket = load_word(record + 8);
  // Told by the mark that is published, where a repair looks for the record: what was skipped goes
  // first.
  if (head != queue.consumers.at()) {
    queue.consumers.publish(head);
  }
  heap::move(ticket, heap::self(), &queue.consumers.handed, head.word);
  head = head.plus(span_of(load_word(record)), 1);
  return ticket;
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
  for (Side* side : {&queue.producers, &queue.consumers}) {
    side->mutex.init();
    side->mark = kFirstMark;
    side->other_seen = kFirstMark;
  }
  make_ring(queue, block.offset());
  handle_ = Handle::own(block.release());
}

void QueueCore::decode(Decoder& decoder, std::uint64_t fingerprint) {
  handle_ = Handle::decode(decoder, {kQueueKind, fingerprint}, what_);
}

bool QueueCore::put(std::span<const std::byte> item, Timeout timeout) const {
  QueueObject& queue = object(handle_, what_);
  return detail::put(queue, timeout, [&](Mark& tail) { write_inside(queue, tail, item); });
}

bool QueueCore::put(ItemEncoder& item, Timeout timeout) const {
  if (item.fits()) {
    return put(item.bytes(), timeout);
  }
  QueueObject& queue = object(handle_, what_);
  const std::size_t size = item.size();
  heap::Block block = heap::Block::own(item.finish());
  const std::uint64_t word = record_word(Record::block, 0);
  return detail::put(queue, timeout, [&](Mark& tail) {
    std::byte* const record = room_for(queue, tail, span_of(word));
    store_word(record, word);
    store_word(record + 8, block.ticket());
    store_word(record + 16, size);
    if (tail != queue.producers.at()) {
      queue.producers.publish(tail);  // what is skipped: see take_block
    }
    heap::move(block.ticket(), heap::offset_of(&queue), &queue.producers.handed, tail.word);
    static_cast<void>(block.release());
    tail = tail.plus(span_of(word), 1);
  });
}

void QueueCore::put_many(const ItemBatch& items) const {
  QueueObject& queue = object(handle_, what_);
  std::span<const std::byte> rest = items.bytes();
  while (!rest.empty()) {
    detail::put(queue, std::nullopt, [&](Mark& tail) {
      while (!rest.empty() && !is_full(queue, tail)) {
        std::span<const std::byte> behind = rest;
        if (!write_inside(queue, tail, ItemBatch::next(behind))) {
          return;
        }
        rest = behind;
      }
    });
    // One wake-up for all of them may be too few.
    if (items.count() > 1) {
      queue.items.wake_all();
    }
  }
}

bool QueueCore::get(ReceivedItem& item, Timeout timeout) const {
  QueueObject& queue = object(handle_, what_);
  return detail::get(queue, timeout, [&](Mark& head, const std::byte* record) {
    const std::uint64_t word = load_word(record);
    if (record_of(word) == Record::block) {
      const std::size_t size = load_word(record + 16);
      item.ticket_ = take_block(queue, head, record);
      item.bytes_ = {heap::at(heap::target(item.ticket_)), size};
      return;
    }
    std::memcpy(item.inline_, record + 8, size_of(word));
    item.bytes_ = {item.inline_, size_of(word)};
    head = head.plus(span_of(word), 1);
  });
}

bool QueueCore::get(std::span<std::byte> into, Timeout timeout) const {
  QueueObject& queue = object(handle_, what_);
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

bool QueueCore::get_many(ItemBatch& batch, ReceivedItem& large, std::size_t most,
                         Timeout timeout) const {
  constexpr std::size_t kMostBytes = std::size_t{256} * 1024;
  QueueObject& queue = object(handle_, what_);
  const bool got = detail::get(queue, timeout, [&](Mark& head, const std::byte* record) {
    if (record_of(load_word(record)) == Record::block) {
      const std::size_t size = load_word(record + 16);
      large.ticket_ = take_block(queue, head, record);
      large.bytes_ = {heap::at(heap::target(large.ticket_)), size};
      return;
    }
    while (record != nullptr && record_of(load_word(record)) == Record::inside &&
           batch.count_ < most && batch.bytes_.size() < kMostBytes) {
      const std::size_t span = span_of(load_word(record));
      batch.bytes_.insert(batch.bytes_.end(), record, record + span);
      ++batch.count_;
      head = head.plus(span, 1);
      record = first_record(queue, head);
    }
  });
  if (got && queue.maxsize != 0 && batch.count_ > 1) {
    queue.room.wake_all();
  }
  return got;
}

std::size_t QueueCore::size() const {
  const QueueObject& queue = object(handle_, what_);
  for (;;) {
    const Mark head = queue.consumers.at();
    const Mark tail = queue.producers.at();
    if (head == queue.consumers.at()) {
      return items_between(head, tail);
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
    queue.shut = 1;
  }
  queue.items.wake_all();
  queue.room.wake_all();
}

void QueueCore::task_done() const {
  QueueObject& queue = object(handle_, what_);
  std::uint32_t done = queue.done.load();
  const auto put = [&] { return queue.producers.at().count() - 1; };  // so many ever
  do {
    if (done == put()) {
      throw ProcessError(
          "asked to count an item of a JoinableQueue as done, but all that were put are done with; "
          "task_done() is called once for each item");
    }
  } while (!queue.done.compare_exchange_weak(done, done + 1));
  if (done + 1 == put()) {
    queue.finished.wake_all();
  }
}

bool QueueCore::join(Timeout timeout) const {
  QueueObject& queue = object(handle_, what_);
  const auto all_done = [&] { return queue.done == queue.producers.at().count() - 1; };
  return wait_until_done(queue.finished, timeout, all_done, all_done);
}

void throw_queue_full() {
  throw Full(
      "waited to put an item into a queue, which is still full; take items off it, wait longer, or "
      "make it with a larger maxsize");
}

void throw_queue_empty() {
  throw Empty("waited for an item of a queue, and none has come; wait longer, or use try_get()");
}

}  // namespace procession::detail
