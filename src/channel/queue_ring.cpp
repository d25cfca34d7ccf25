#include <algorithm>
#include <limits>
#include <string>

#include "channel/queue_object.hpp"
#include "procession/error.hpp"

namespace procession::channel {

namespace {

constexpr std::size_t kFirstCapacity = 4096;
/// Positions wrap at 2^32 units of eight bytes.
constexpr std::size_t kMostCapacity = std::size_t{1} << 34;

heap::Block make_ring_block(std::size_t capacity) {
  heap::Block block(offsetof(Ring, bytes) + capacity);
  heap::at<Ring>(block.offset())->capacity = capacity;
  return block;
}

/// The record whose block a dead owner of the side's mutex has handed over, without having moved
/// its mark; null: none.
const std::byte* half_handed(QueueObject& queue, Side& side) {
  const Mark mark = side.at();
  return side.has_handed(mark) ? ring_of(queue).at(mark.position()) : nullptr;
}

/// The dead one has not put: its block goes, and others put at the same mark.
void repair_producers(QueueObject& queue) {
  Side& side = queue.producers;
  const std::byte* const record = half_handed(queue, side);
  if (record == nullptr) return;
  // Made this process's own and forgotten in one step, so that it is dropped once.
  const heap::HoldId hold_id = load_word(record + 8);
  heap::move(hold_id, heap::self(), &side.handed, 0);
  heap::drop(hold_id);
}

/// The dead one has taken: the head moves over what went with it.
void repair_consumers(QueueObject& queue) {
  Side& side = queue.consumers;
  const std::byte* const record = half_handed(queue, side);
  if (record == nullptr) return;
  side.publish(side.at().plus(span_of(load_word(record)), 1));
  queue.room.wake_all();
}

void repair(QueueObject& queue, Side& side) {
  if (&side == &queue.producers) {
    repair_producers(queue);
  } else {
    repair_consumers(queue);
  }
  heap::testing::step();
  side.mutex.make_consistent();
  heap::testing::step();
}

/// Twice as large, with the same records at the same positions. Under the producers' mutex. A
/// process killed here leaves the old ring or the new one, and at worst the other one behind for as
/// long as the queue lives.
void grow(QueueObject& queue) {
  const SideLock consumers(queue, queue.consumers);
  const std::uint64_t old_hold_id = queue.ring;
  Ring& old = ring_of(queue);
  if (old.capacity >= kMostCapacity) {
    throw OutOfMemory("a queue has " + std::to_string(old.capacity) +
                      " bytes of items waiting in it and can have no more; give it a maxsize");
  }
  heap::Block block = make_ring_block(2 * old.capacity);
  Ring& next = *heap::at<Ring>(block.offset());
  const Mark head = queue.consumers.at();
  std::size_t left = bytes_between(head, queue.producers.at());
  for (std::uint32_t at = head.position(); left != 0;) {
    const std::size_t part = std::min(left, std::min(old.to_end(at), next.to_end(at)));
    write_bytes(next.at(at), old.at(at), part);
    at += static_cast<std::uint32_t>(part / 8);
    left -= part;
  }
  heap::move(block.hold_id(), heap::offset_of(&queue), &queue.ring, block.hold_id());
  static_cast<void>(block.release());
  heap::drop(old_hold_id);
}

std::size_t unused(QueueObject& queue, Mark tail) {
  return ring_of(queue).capacity - bytes_between({queue.producers.other_seen}, tail);
}

}  // namespace

SideLock::SideLock(QueueObject& queue, Side& side) : side_(side) {
  if (side.mutex.lock().previous_owner_died) [[unlikely]] {
    repair(queue, side);
  }
}

void make_ring(QueueObject& queue, heap::Offset offset) {
  heap::Block block = make_ring_block(kFirstCapacity);
  heap::move(block.hold_id(), offset, &queue.ring, block.hold_id());
  static_cast<void>(block.release());
}

std::byte* room_for(QueueObject& queue, Mark& tail, std::size_t bytes) {
  for (;;) {
    Ring& ring = ring_of(queue);
    const std::size_t to_end = ring.to_end(tail.position());
    const std::size_t skipped = to_end < bytes ? to_end : 0;
    if (unused(queue, tail) < skipped + bytes) {
      queue.producers.see(queue.consumers);
      if (unused(queue, tail) < skipped + bytes) {
        if (tail == queue.producers.at()) {
          grow(queue);
          continue;
        }
        return nullptr;  // what was written so far is to be published first
      }
    }
    if (skipped != 0) {
      write_word(ring.at(tail.position()), record_word(Record::skip, skipped - 8));
      tail = tail.plus(skipped, 0);
    }
    return ring.at(tail.position());
  }
}

std::byte* first_record(QueueObject& queue, Mark& head) {
  Side& side = queue.consumers;
  if (items_between(head, {side.other_seen}) == 0) {
    side.see(queue.producers);
    if (items_between(head, {side.other_seen}) == 0) {
      return nullptr;
    }
  }
  Ring& ring = ring_of(queue);
  for (;;) {
    std::byte* const record = ring.at(head.position());
    if (record_of(load_word(record)) != Record::skip) {
      return record;
    }
    head = head.plus(span_of(load_word(record)), 0);
  }
}

std::size_t room_at(QueueObject& queue, Mark tail) {
  return std::min(unused(queue, tail), ring_of(queue).to_end(tail.position()));
}

std::uint32_t most_to_put(QueueObject& queue, Mark tail) {
  if (queue.maxsize == 0) {
    return std::numeric_limits<std::uint32_t>::max();
  }
  const auto maxsize = static_cast<std::uint32_t>(queue.maxsize);
  const std::uint32_t there = items_between({queue.producers.other_seen}, tail);
  if (there < maxsize) {
    return maxsize - there;
  }
  if (queue.consumers.may_have_handed(queue.consumers.at())) {
    const SideLock settles(queue,
                           queue.consumers);  // what is gone already, if its consumer is dead
  }
  queue.producers.see(queue.consumers);
  return maxsize - items_between({queue.producers.other_seen}, tail);
}

}  // namespace procession::channel
