#include "channel/handover.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "heap/testing.hpp"
#include "platform/cpu.hpp"
#include "platform/relax.hpp"
#include "procession/detail/copy_bytes.hpp"
#include "procession/error.hpp"

namespace procession::channel {

namespace {

using namespace std::chrono_literals;
using heap::testing::step;

static_assert(detail::FlatItem::kLeast == kRelayLeast);
static_assert(kRelayPiece % 64 == 0, "see FlatReceiver");

/// What a producer writes before somebody takes it: something to begin with. Nobody may come.
constexpr std::size_t kSample = 2 * kRelayPiece;

/// False: it was another one by now.
bool change(QueueObject& queue, Offer from, Offer to) {
  step();
  const bool changed = queue.offer.compare_exchange_strong(from.word, to.word);
  step();
  return changed;
}

/// Whatever has become of it, it is not on offer any more.
void withdraw(QueueObject& queue, Offer offer) {
  for (const Offer::State state : {Offer::offered, Offer::taken})
    change(queue, offer.as(state), offer.as(Offer::none));
}

bool holds_nothing(const QueueObject& queue) {
  const Mark head = queue.consumers.at();  // first: it never gets past what the other one was
  return head == queue.producers.at();
}

/// Without a sign from the other side, of which nobody knows whether it is alive, or runs.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::chrono::nanoseconds kStall = 20ms;  // they take long over memory that is new
#else
constexpr std::chrono::nanoseconds kStall = 250us;
#endif

/// How long an offer of so many bytes stands before the producer begins to spill them: about
/// as long as a consumer takes that has such an item to copy yet. Both are done sooner if they do
/// the next one together.
std::chrono::nanoseconds wait_for_consumer(std::size_t bytes) {
  constexpr std::size_t kBytesInOne = 12;
  return std::chrono::nanoseconds(bytes / kBytesInOne);
}

/// How an offer came out. Each that came to nothing was time lost, and the next ones are likely to
/// be: where nobody waits for items, or processors are so busy that the two sides do not run at the
/// same time. So up to 63 items go without an offer then, ever more; fewer again with each that
/// succeeds.
void learn(QueueObject& queue, bool handed_over) {
  constexpr std::uint32_t kMost = 6;
  const std::uint32_t misses = queue.misses;
  queue.misses = handed_over ? std::max(misses, 1U) - 1 : std::min(misses + 2, kMost);
  queue.pause = (1U << queue.misses) - 1;
}

/// Waiting for the other side.
class Stall {
 public:
  Stall(const platform::Deadline& deadline, std::chrono::nanoseconds most)
      : deadline_(deadline), most_(most) {}

  /// Waits a little; false when that has been long enough. `done` is how far the other one is.
  bool wait(std::uint64_t done) {
    for (int i = 0; i < 16; ++i)
      platform::relax();
    const auto now = Clock::now();
    if (std::exchange(done_, done) != done) since_ = now;
    return now - since_ <= most_ && !deadline_.passed();
  }

 private:
  using Clock = std::chrono::steady_clock;

  const platform::Deadline& deadline_;
  const std::chrono::nanoseconds most_;
  Clock::time_point since_;
  std::uint64_t done_ = ~std::uint64_t{0};  ///< at the last wait
};

Handover& handover_of(const QueueObject& queue) {
  return *heap::at<Handover>(heap::target(queue.handover));
}

/// By the producer. Throws OutOfMemory.
Handover& make_handover(QueueObject& queue) {
  if (heap::settled(queue.handover) == 0) {  // else a dead producer has left one
    heap::Block block(sizeof(Handover));
    heap::move(block.hold_id(), heap::offset_of(&queue), &queue.handover, block.hold_id());
    static_cast<void>(block.release());
  }
  return handover_of(queue);
}

void drop_handover(QueueObject& queue) {
  const heap::HoldId hold_id = queue.handover;
  heap::move(hold_id, heap::self(), &queue.handover, 0);
  heap::drop(hold_id);
}

/// The producer's side, to the end of the scope.
class HandingOver {
 public:
  HandingOver(QueueObject& queue, SpilledItem& item)
      : queue_(queue), item_(item), there_(queue.producer.enter()) {
    step();
  }
  HandingOver(const HandingOver&) = delete;
  HandingOver& operator=(const HandingOver&) = delete;
  ~HandingOver() {
    if (handover_ != nullptr) {
      withdraw(queue_, offer_);
      // A consumer who is not there yet looks at the offer first.
      if (is_handed_over() || !queue_.consumer.occupied()) drop_handover(queue_);
    }
    step();
    if (there_) queue_.producer.leave();
  }

  bool run(const platform::Deadline& deadline) {
    if (!there_) return false;
    withdraw(queue_, offer_of(queue_));  // a dead one's
    if (queue_.pause != 0) {
      --queue_.pause;
      return false;
    }
    if (queue_.consumer.occupied()) return false;
    try {
      make_offer();
      Stall nobody(deadline, wait_for_consumer(bytes().size()));
      Stall stall(deadline, kStall);
      while (advance(nobody, stall)) {
      }
    } catch (const OutOfMemory&) {
      // What needs it fails again, unless it was for the window.
    }
    if (handover_ == nullptr) return false;
    withdraw(queue_, offer_);
    learn(queue_, is_handed_over());
    return is_handed_over();
  }

 private:
  [[nodiscard]] std::span<const std::byte> bytes() const { return item_.item().bytes; }
  /// Of one that is not on offer any more. Only whose offer it is can tell, before the next one.
  [[nodiscard]] bool is_handed_over() const { return offer_of(queue_).count() != offer_.count(); }

  void make_offer() {
    Handover& handover = make_handover(queue_);
    handover.length = item_.item().length;
    handover.size = bytes().size();
    handover.window.reset();
    offer_ = offer_of(queue_).next();
    handover_ = &handover;
    step();
    queue_.offer.store(offer_.word);
    step();
    queue_.items.wake_one();
  }

  /// The next thing to be done; false when there is nothing more.
  bool advance(Stall& nobody, Stall& stall) {
    RelayWindow& window = handover_->window;
    switch (offer_of(queue_).state()) {
      case Offer::offered:
        if (window.written < kSample) {
          window.write(bytes());
        } else if (!nobody.wait(0)) {
          if (item_.complete()) return false;
          item_.copy_piece();
        }
        return true;
      case Offer::taken:
        if (window.has_all(bytes()) || !window.has_room(bytes())) return stall.wait(window.read);
        window.write(bytes());
        return true;
      default:
        return false;
    }
  }

  QueueObject& queue_;
  SpilledItem& item_;
  const bool there_;
  Handover* handover_ = nullptr;  ///< where an offer was made
  Offer offer_;
};

/// The consumer's, of an offer that it has taken.
class TakingOver {
 public:
  TakingOver(QueueObject& queue, Offer offer)
      : queue_(queue), offer_(offer), there_(queue.consumer.enter()) {
    step();
  }
  TakingOver(const TakingOver&) = delete;
  TakingOver& operator=(const TakingOver&) = delete;
  ~TakingOver() {
    withdraw(queue_, offer_);
    if (there_) queue_.consumer.leave();
  }

  bool run(detail::FlatSink& sink, const platform::Deadline& deadline) {
    // If it is still the one, all stays from here on as long as this one is there.
    if (!there_ || offer_of(queue_) != offer_) return false;
    Handover& handover = handover_of(queue_);
    const std::uint64_t size = handover.size;
    if (!sink.begin(handover.length, size))
      return false;  // to be decoded, which says what is wrong
    Stall stall(deadline, kStall);
    while (handover.window.read != size) {
      const std::span<const std::byte> piece = handover.window.next();
      if (!piece.empty()) {
        sink.add(piece);
        handover.window.advance(piece.size());
      } else if (offer_of(queue_) != offer_ || !stall.wait(handover.window.written)) {
        return false;
      }
    }
    if (!change(queue_, offer_, offer_.handed_over())) return false;
    sink.finish();
    return true;
  }

 private:
  QueueObject& queue_;
  const Offer offer_;
  const bool there_;
};

}  // namespace

void withdraw_of_dead(QueueObject& queue) {
  const Offer offer = offer_of(queue);
  if (offer.state() != Offer::none && !queue.producer.occupied()) withdraw(queue, offer);
}

void SpilledItem::copy_piece() {
  if (!block_) {
    block_ = heap::Block::for_users(size());
    // As the codec writes it.
    std::memcpy(block_.data(), &item_.length, sizeof item_.length);
  }
  const std::size_t piece = std::min(detail::kCopyPiece, item_.bytes.size() - copied_);
  std::memcpy(block_.data() + sizeof item_.length + copied_, item_.bytes.data() + copied_, piece);
  copied_ += piece;
}

heap::Block& SpilledItem::finish() {
  while (!complete())
    copy_piece();
  return block_;
}

bool hand_over(QueueObject& queue, SpilledItem& item, const platform::Deadline& deadline) {
  static const bool worth_it = platform::usable_cpus() > 1;
  if (!worth_it || !holds_nothing(queue) || queue.shut != 0) return false;
  return HandingOver(queue, item).run(deadline);
}

bool take_over(QueueObject& queue, detail::FlatSink& sink, const platform::Deadline& deadline) {
  const Offer offer = offer_of(queue);
  if (offer.state() != Offer::offered || !holds_nothing(queue) || queue.shut != 0) return false;
  const Offer mine = offer.as(Offer::taken);
  return change(queue, offer, mine) && TakingOver(queue, mine).run(sink, deadline);
}

}  // namespace procession::channel
