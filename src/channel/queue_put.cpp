// QueueCore: what puts.

#include <algorithm>

#include "channel/handover.hpp"
#include "channel/queue_object.hpp"
#include "channel/queue_wait.hpp"
#include "procession/detail/queue_core.hpp"

namespace procession::detail {

namespace {

using namespace channel;

/// For how many items there is room, as far as one can tell without the mutex; something when the
/// queue was shut down, and where the first item may have gone with a dead consumer.
std::size_t room_in(QueueObject& queue) {
  const Mark head = queue.consumers.at();
  const std::size_t there = items_between(head, queue.producers.at());
  if (there < queue.maxsize) return queue.maxsize - there;
  return queue.shut != 0 || queue.consumers.may_have_handed(head) ? 1 : 0;
}

/// One attempt to put; `write(tail)` writes records, which show when the tail that it moves over
/// them is published. Under the producers' mutex.
template <class Write>
bool try_put(QueueObject& queue, const Write& write) {
  std::uint32_t more = 0;
  {
    const SideLock lock(queue, queue.producers);
    if (queue.shut.load(std::memory_order_relaxed) != 0) {
      throw_shut_down("put an item into");
    }
    const Mark before = queue.producers.at();
    Mark tail = before;
    if (most_to_put(queue, tail) == 0) {
      return false;
    }
    write(tail);
    more = items_between(before, tail);
    queue.producers.publish(tail);
  }
  wake_for(queue.items, more);
  return true;
}

template <class Write>
bool put(QueueObject& queue, const Timeout& timeout, const Write& write) {
  return wait_until_done(
      {queue.room, queue.producers.pauses}, timeout, false, [&] { return try_put(queue, write); },
      [&] { return room_in(queue); });
}

/// The first ones of `items`, as many as there is room for; takes them off `items`.
void write_batch(QueueObject& queue, Mark& tail, std::span<const std::byte>& items) {
  while (!items.empty()) {
    const std::uint32_t most = most_to_put(queue, tail);
    if (most == 0) {
      return;
    }
    std::byte* const record = room_for(queue, tail, span_of(load_word(items.data())));
    if (record == nullptr) {
      return;
    }
    const Run run = first_of(items.data(), std::min(items.size(), room_at(queue, tail)), most);
    write_bytes(record, items.data(), run.bytes);
    tail = tail.plus(run.bytes, run.items);
    items = items.subspan(run.bytes);
  }
}

/// The item's block, which becomes the queue's.
void write_block(QueueObject& queue, Mark& tail, heap::Block& block, std::size_t size) {
  const std::uint64_t word = record_word(Record::block, 0);
  std::byte* const record = room_for(queue, tail, span_of(word));
  write_word(record, word);
  write_word(record + 8, block.hold_id());
  write_word(record + 16, size);
  // Told by the mark that is published, where a repair looks for the record: what was skipped goes
  // first.
  if (tail != queue.producers.at()) {
    queue.producers.publish(tail);
  }
  heap::move(block.hold_id(), heap::offset_of(&queue), &queue.producers.handed, tail.word);
  static_cast<void>(block.release());
  tail = tail.plus(span_of(word), 1);
}

bool put_block(QueueObject& queue, const Timeout& timeout, heap::Block& block, std::size_t size) {
  return put(queue, timeout, [&](Mark& tail) { write_block(queue, tail, block, size); });
}

}  // namespace

bool QueueCore::await_room(Timeout& timeout) const {
  auto& queue = handle_.object<QueueObject>(what_);
  Side& side = queue.producers;
  const auto room_as_seen = [&] {
    return items_between(side.may_have_seen(), side.at()) < queue.maxsize;
  };
  if (queue.maxsize == 0 || room_as_seen()) return true;
  const platform::Deadline deadline(timeout);
  const auto look = [&] {
    if (queue.shut != 0) throw_shut_down("put an item into");
    return room_in(queue) != 0;
  };
  // Who has slept and finds room, which stays there, wakes the next one.
  const bool there = wait_until_done({queue.room, side.pauses}, timeout, false, look,
                                     [&] { return room_in(queue); });
  timeout = deadline.left();
  return there;
}

bool QueueCore::put(std::span<const std::byte> item, Timeout timeout) const {
  auto& queue = handle_.object<QueueObject>(what_);
  const std::uint64_t word = record_word(Record::inside, item.size());
  return detail::put(queue, timeout, [&](Mark& tail) {
    std::byte* const record = room_for(queue, tail, span_of(word));
    write_word(record, word);
    write_bytes(record + 8, item.data(), item.size());
    tail = tail.plus(span_of(word), 1);
  });
}

bool QueueCore::put(ItemEncoder& item, Timeout timeout) const {
  if (item.in_place()) {
    return put(item.bytes(), timeout);
  }
  auto& queue = handle_.object<QueueObject>(what_);
  const std::size_t size = item.size();
  heap::Block block = heap::Block::own(item.release());
  return put_block(queue, timeout, block, size);
}

bool QueueCore::put(const FlatItem& item, Timeout timeout) const {
  auto& queue = handle_.object<QueueObject>(what_);
  SpilledItem spilled(item);
  heap::expect_possible(spilled.size());
  if (!await_room(timeout)) return false;
  if (!timeout || *timeout > Duration::zero()) {
    const platform::Deadline deadline(timeout);
    if (hand_over(queue, spilled, deadline)) return true;
    timeout = deadline.left();
  }
  return put_block(queue, timeout, spilled.finish(), spilled.size());
}

void QueueCore::put_many(const ItemBatch& items) const {
  auto& queue = handle_.object<QueueObject>(what_);
  for (std::span<const std::byte> rest = items.bytes(); !rest.empty();) {
    detail::put(queue, std::nullopt, [&](Mark& tail) { write_batch(queue, tail, rest); });
  }
}

void throw_queue_full() {
  throw Full(
      "waited to put an item into a queue, which is still full; take items off it, wait longer, or "
      "make it with a larger maxsize");
}

}  // namespace procession::detail
