// What a queue names: one block of the shared heap, which holds another one, the ring.
//
// The ring is bytes. An item in it is a *record*: a word, and behind it what the word says.
//
//     bits 0-31   size in bytes
//     bits 32-33  Record: what follows
//                   inside  the encoded item, up to a multiple of eight bytes
//                   block   two words: the hold id of the item's block, and the item's size there
//                   skip    nothing of worth, to the end of the ring: no record goes round it
//
// Where the records begin and end is a word each: *head* and *tail*.
//
//     bits 0-31   position in the ring, in units of eight bytes, counted on for ever; the place is
//                 the position modulo the ring's size
//     bits 32-63  how many items have gone by it since the queue was made, and one
//
// So one store publishes an item, and the difference of two words is how many there are. A process
// that is killed has published or it has not. There is one thing more to an item in a block, the
// hold on it, which changes hands before that store, in a transaction that notes in `handed` at
// which mark.
//
//   - A producer that is killed in between has not put: the item is in the queue from the store of
//     the tail on, and at no other time. Whoever gets the producers' mutex next drops the block.
//     Finished instead, the item would come after others have seen the queue without it.
//   - A consumer that is killed in between has taken: with the transaction the block became its
//     own, and goes with it. Whoever counts items or looks for room counts that one as gone;
//     whoever gets the consumers' mutex next moves the head over it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "heap/heap.hpp"
#include "heap/testing.hpp"
#include "platform/mutex.hpp"
#include "procession/detail/handle.hpp"
#include "sync/event_count.hpp"
#include "sync/liveness_slot.hpp"

namespace procession::channel {

enum class Record : std::uint32_t { inside, block, skip };

constexpr std::uint64_t record_word(Record record, std::size_t size) {
  return static_cast<std::uint64_t>(record) << 32 | size;
}
constexpr Record record_of(std::uint64_t word) { return static_cast<Record>(word >> 32); }
constexpr std::size_t size_of(std::uint64_t word) { return word & 0xffff'ffff; }
/// Bytes of a whole record.
constexpr std::size_t span_of(std::uint64_t word) {
  const std::size_t size = record_of(word) == Record::block ? 16 : size_of(word);
  return 8 + (size + 7) / 8 * 8;
}

/// A head or a tail.
struct Mark {
  std::uint64_t word;

  [[nodiscard]] std::uint32_t position() const { return static_cast<std::uint32_t>(word); }
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(word >> 32); }
  /// Further on by so many bytes and items.
  [[nodiscard]] Mark plus(std::size_t bytes, std::uint32_t items) const {
    const auto position_then = static_cast<std::uint32_t>(position() + bytes / 8);
    return {std::uint64_t{count() + items} << 32 | position_then};
  }
  friend std::uint32_t items_between(Mark head, Mark tail) { return tail.count() - head.count(); }
  friend std::size_t bytes_between(Mark head, Mark tail) {
    return std::size_t{static_cast<std::uint32_t>(tail.position() - head.position())} * 8;
  }
  friend bool operator==(Mark, Mark) = default;
};
inline constexpr std::uint64_t kFirstMark = std::uint64_t{1} << 32;

struct Ring {
  std::uint64_t capacity;  ///< bytes: a power of two
  std::uint64_t unused[7];
  std::byte bytes[1];  ///< capacity of them

  std::byte* at(std::uint32_t position) { return bytes + place(position); }
  /// Bytes from there to the end.
  [[nodiscard]] std::size_t to_end(std::uint32_t position) const {
    return capacity - place(position);
  }

 private:
  [[nodiscard]] std::size_t place(std::uint32_t position) const {
    return std::size_t{position} * 8 & (capacity - 1);
  }
};

/// Stores and copies that a process may be killed before and after.
template <class Word, class Value>
void store(Word& word, Value value) {
  heap::testing::step();
  word = value;
  heap::testing::step();
}
inline void write_bytes(std::byte* to, const std::byte* from, std::size_t bytes) {
  heap::testing::step();
  std::memcpy(to, from, bytes);
  heap::testing::step();
}
inline void write_word(std::byte* at, std::uint64_t value) {
  store(*reinterpret_cast<std::uint64_t*>(at), value);
}

/// One side of a queue. What is not atomic belongs to whoever has the mutex.
struct alignas(64) Side {
  platform::RobustMutexLine mutex;
  std::uint64_t other_seen;  ///< the other side's mark when it was last looked at, see `see`
  /// The mark at which a block last changed hands: given to the queue, or taken off it.
  std::uint64_t handed;
  std::atomic<std::uint32_t> pauses;  ///< of this side's waiting, see spin_until; by anybody
  /// Tail of the producers, head of the consumers. In a cache line of its own: the other side looks
  /// at it while this one works.
  alignas(64) std::atomic<std::uint64_t> mark;

  [[nodiscard]] Mark at() const { return {mark.load(std::memory_order_acquire)}; }
  void see(const Side& other) {
    heap::testing::step();
    std::atomic_ref(other_seen).store(other.at().word, std::memory_order_relaxed);
    heap::testing::step();
  }
  /// The same without the mutex, and perhaps not true any more.
  [[nodiscard]] Mark may_have_seen() {
    return {std::atomic_ref(other_seen).load(std::memory_order_relaxed)};
  }
  /// Whether the block of the item at this mark has changed hands, though the mark has not moved;
  /// or may yet, or may not.
  [[nodiscard]] bool may_have_handed(Mark at) {
    return std::atomic_ref(handed).load(std::memory_order_acquire) == at.word;
  }
  /// Whether it has, for good. Waits for the heap.
  [[nodiscard]] bool has_handed(Mark at) const { return heap::settled(handed) == at.word; }
  void publish(Mark next) {
    heap::testing::step();
    mark.store(next.word, std::memory_order_release);
    heap::testing::step();
  }
};

struct QueueObject {
  detail::ObjectHeader header;
  std::uint64_t maxsize;  ///< 0: none
  /// Hold id of the ring. Changes under both mutexes.
  std::uint64_t ring;
  std::atomic<std::uint32_t> shut;  ///< set under the producers' mutex
  /// When it was made, in nanoseconds: tells it from one that was in its place before. Constant.
  std::uint64_t made;

  Side producers;
  Side consumers;
  alignas(64) sync::EventCount items;           ///< consumers sleep here
  alignas(64) sync::EventCount room;            ///< producers
  alignas(64) std::atomic<std::uint32_t> done;  ///< of a JoinableQueue
  sync::EventCount finished;
  std::atomic<std::uint32_t> pauses;  ///< of who waits there

  // See handover.hpp.
  sync::LivenessSlot producer;  ///< the producer that makes the offer
  sync::LivenessSlot consumer;  ///< the consumer that has taken it
  std::uint64_t handover;  ///< hold id of a Handover; 0: none. Of the producer, and what follows
  std::uint32_t misses;    ///< grows with offers that come to nothing, see learn()
  std::uint32_t pause;     ///< so many items are not offered
  std::atomic<std::uint64_t> offer;
};

/// A side's mutex, for a scope. What a dead owner left half done is finished first.
class SideLock {
 public:
  SideLock(QueueObject& queue, Side& side);
  SideLock(const SideLock&) = delete;
  SideLock& operator=(const SideLock&) = delete;
  ~SideLock() { side_.mutex.unlock(); }

 private:
  Side& side_;
};

inline Ring& ring_of(QueueObject& queue) { return *heap::at<Ring>(heap::target(queue.ring)); }

/// Makes the first ring of a new queue, which lies at `offset`.
void make_ring(QueueObject& queue, heap::Offset offset);

/// Room for a record of `bytes` at the tail; null when there is none before what lies in front of
/// the tail is published. Under the producers' mutex. `tail` moves over what has to be skipped.
/// Throws OutOfMemory when the ring had to grow and could not.
std::byte* room_for(QueueObject& queue, Mark& tail, std::size_t bytes);

/// How many bytes there are at the least, in one piece. Under the producers' mutex.
std::size_t room_at(QueueObject& queue, Mark tail);

/// The first record, behind what has to be skipped; null when there is none. Under the consumers'
/// mutex.
std::byte* first_record(QueueObject& queue, Mark& head);

/// How many items may be put at the least; 0: the queue has its fill. Under the producers' mutex.
std::uint32_t most_to_put(QueueObject& queue, Mark tail);

inline std::uint64_t load_word(const std::byte* at) {
  return *reinterpret_cast<const std::uint64_t*>(at);
}
inline void store_word(std::byte* at, std::uint64_t value) {
  *reinterpret_cast<std::uint64_t*>(at) = value;
}

/// Records in a row.
struct Run {
  std::size_t bytes = 0;
  std::uint32_t items = 0;
};

/// The first of the records that lie at `records`: items inside, as many as `most` and in as many
/// bytes as `most_bytes`.
inline Run first_of(const std::byte* records, std::size_t most_bytes, std::size_t most) {
  Run run;
  // Where one is like the other, the processor need not have read a record to know where the next
  // one lies.
  std::uint64_t last = record_word(Record::skip, 0);
  std::size_t span = 0;
  while (run.items < most && run.bytes < most_bytes) {
    const std::uint64_t word = load_word(records + run.bytes);
    if (word != last) {
      if (record_of(word) != Record::inside) break;
      last = word;
      span = span_of(word);
    }
    if (span > most_bytes - run.bytes) break;
    run.bytes += span;
    ++run.items;
  }
  return run;
}

}  // namespace procession::channel
