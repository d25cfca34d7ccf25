// A large item of a queue that goes out of the hands of its producer into those of a consumer who
// waits for one, and is never in the queue: both copy it at the same time, through a window.
//
// A queue makes one offer at a time, which is a word:
//
//     bits 0-1    none ──▶ offered ──▶ taken ──▶ none, and it is handed over
//                              │         │
//                              └─────────┴─────▶ none, and it is withdrawn
//     bits 2-31   number of the offer
//     bits 32-63  how many items were handed over since the queue was made
//
// One store decides: an item is the consumer's when the count has gone up, and before that it is
// the producer's, who has it whole. So nothing is lost with who is killed, and nobody depends on
// who is stopped: either side withdraws where the other one does not get on for a while. The
// producer then puts the item into the queue, and spills it already as long as it waits for a
// consumer; who waited for it waits on, and finds it there, or another one before it.
//
// The item is put and taken in one moment, in which the queue is empty: when the consumer has seen
// that it is, with the offer made.
#pragma once

#include <cstdint>

#include "channel/queue_object.hpp"
#include "channel/relay_window.hpp"
#include "heap/heap.hpp"
#include "platform/deadline.hpp"
#include "procession/detail/flat_item.hpp"

namespace procession::channel {

/// A block of the queue, as long as something is on offer. Only the producer writes, so that one
/// that was stopped keeps others from it; only the consumer reads, and as long as one is there,
/// which may have been stopped too, no other offer is made and the block stays.
struct Handover {
  std::uint64_t length;  ///< see FlatItem
  std::uint64_t size;    ///< bytes
  RelayWindow window;
};

struct Offer {
  enum State : std::uint64_t { none, offered, taken };
  std::uint64_t word = 0;

  [[nodiscard]] State state() const { return static_cast<State>(word & 3); }
  [[nodiscard]] std::uint32_t number() const { return static_cast<std::uint32_t>(word) >> 2; }
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(word >> 32); }
  /// The same one, withdrawn or taken.
  [[nodiscard]] Offer as(State state) const { return {(word & ~std::uint64_t{3}) | state}; }
  [[nodiscard]] Offer handed_over() const { return {as(none).word + (std::uint64_t{1} << 32)}; }
  [[nodiscard]] Offer next() const {
    constexpr std::uint64_t kNumber = 0xffff'fffc;
    return {(word & ~std::uint64_t{0xffff'ffff}) | ((word + 4) & kNumber) | offered};
  }
  friend bool operator==(Offer, Offer) = default;
};

inline Offer offer_of(const QueueObject& queue) {
  return {queue.offer.load(std::memory_order_acquire)};
}

/// How many items were put ever.
inline std::uint32_t count_put(const QueueObject& queue) {
  return queue.producers.at().count() - 1 + offer_of(queue).count();
}

/// Ends an offer whose producer is dead, unless a consumer has the item by now: it would be counted
/// as put after its producer's end. Whoever says that all items are done with asks for that first.
void withdraw_of_dead(QueueObject& queue);

/// The block of an item that may have to be put into the queue. Belongs to one thread.
class SpilledItem {
 public:
  /// `item` is to stay as long as it lives.
  explicit SpilledItem(const detail::FlatItem& item) : item_(item) {}

  [[nodiscard]] const detail::FlatItem& item() const { return item_; }
  [[nodiscard]] std::size_t size() const { return sizeof item_.length + item_.bytes.size(); }
  [[nodiscard]] bool complete() const { return copied_ == item_.bytes.size(); }
  /// Copies some more. Throws OutOfMemory; may be called again.
  void copy_piece();
  /// With all of it. Throws OutOfMemory.
  heap::Block& finish();

 private:
  const detail::FlatItem item_;
  std::size_t copied_ = 0;
  heap::Block block_;
};

/// Whether a consumer has taken the item. If not, it is to be put; some of it, or all, is
/// spilled then.
bool hand_over(QueueObject& queue, SpilledItem& item, const platform::Deadline& deadline);

/// Whether an item was taken, which is in `sink`. What `sink` throws goes on, and the item stays
/// with its producer.
bool take_over(QueueObject& queue, detail::FlatSink& sink, const platform::Deadline& deadline);

}  // namespace procession::channel
