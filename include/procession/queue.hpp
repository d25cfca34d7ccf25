#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "procession/callable.hpp"
#include "procession/detail/copy_guard.hpp"
#include "procession/detail/queue_core.hpp"
#include "procession/detail/stored.hpp"
#include "procession/error.hpp"

namespace procession {

namespace detail {

/// What the three queues have in common: from items to bytes and back.
template <class T>
class TypedQueue {
 protected:
  TypedQueue(std::size_t maxsize, const char* what) : core_(maxsize, fingerprint(), what) {}

  /// Whether items are copied as they lie in memory.
  static constexpr bool plain() {
    if constexpr (Encodable<T>) {
      return kBitwise<T> && sizeof(T) <= kInlineItem;
    } else {
      return false;
    }
  }

  bool put_one(const T& item, Timeout timeout) const {
    if constexpr (plain()) {
      return core_.put(std::as_bytes(std::span<const T, 1>(&item, 1)), timeout);
    } else {
      if constexpr (is_flat<T>()) {
        if (const FlatItem flat = FlatItem::of(item); flat.is_large()) {
          return core_.put(flat, timeout);
        }
      }
      if (!core_.await_room(timeout)) {
        return false;
      }
      ItemEncoder encoder;
      encode_checked(encoder, item);
      return core_.put(encoder, timeout);
    }
  }

  std::optional<T> get_one(Timeout timeout) const {
    if constexpr (plain() && std::is_default_constructible_v<T>) {
      T item;
      if (!core_.get(std::as_writable_bytes(std::span<T, 1>(&item, 1)), timeout)) {
        return std::nullopt;
      }
      return item;
    } else {
      Received received;
      if (!core_.get(received.item, timeout)) {
        return std::nullopt;
      }
      return received.take();
    }
  }

  template <class Range>
  void put_range(Range&& range) const {
    constexpr std::size_t kBatch = std::size_t{16} * 1024;  // bytes
    ItemBatch batch;
    const CopyGuard guard("the range that was given to put_many");
    const auto flush = [&](ItemBatch& filled) {
      guard.end_copies();
      put_batch(filled);
    };
    for (const T& item : range) {
      if constexpr (plain()) {
        batch.add<sizeof(T)>(std::addressof(item));
      } else {
        if constexpr (is_flat<T>()) {
          if (FlatItem::of(item).is_large()) {
            flush(batch);
            put_one(item, std::nullopt);
            continue;
          }
        }
        ItemEncoder encoder;
        encode_checked(encoder, item);
        if (encoder.in_place()) {
          batch.add(encoder.bytes());
        } else {
          flush(batch);
          core_.put(encoder, std::nullopt);
        }
      }
      if (batch.bytes().size() >= kBatch) {
        flush(batch);
      }
    }
    flush(batch);
  }

  std::vector<T> get_several(std::size_t most, Timeout timeout) const {
    std::vector<T> items;
    ItemBatch batch;
    [[maybe_unused]] FlatSinkFor<T> sink;
    if (most == 0) {
      return items;
    }
    if (!core_.get_many(batch, sink.address(), most, timeout)) {
      throw_queue_empty();
    }
    if constexpr (is_flat<T>()) {
      if (sink.complete()) {
        items.push_back(std::move(sink.value()));
        return items;
      }
    }
    items.reserve(batch.count());
    for (auto rest = batch.bytes(); !rest.empty();) {
      if constexpr (plain() && std::is_default_constructible_v<T>) {
        if (const std::byte* const item = ItemBatch::next<sizeof(T)>(rest)) [[likely]] {
          std::memcpy(static_cast<void*>(std::addressof(items.emplace_back())), item, sizeof(T));
          continue;
        }
      }
      const std::span<const std::byte> item = batch.next(rest);
      try {
        items.push_back(decode_item(item));
      } catch (...) {
        core_.defer(std::current_exception());
      }
    }
    if (items.empty()) {
      core_.throw_deferred();
    }
    return items;
  }

  void decode_handle(Decoder& decoder) { core_.decode(decoder, fingerprint()); }

  QueueCore core_;

 private:
  static constexpr std::uint64_t fingerprint() {
    // By name: T may hold a queue of T.
    return Fingerprint::of(type_name<T>(), 0);
  }
  static void encode_checked(ItemEncoder& encoder, const T& item) {
    if constexpr (Sendable<T>) {
      encode_stored(encoder, item);
      refuse_noted_address(encoder, "an item of a queue");
    } else {
      refuse<T>();
    }
  }
  /// An item that was taken off the queue, by itself.
  struct Received {
    [[no_unique_address]] FlatSinkFor<T> sink;
    ReceivedItem item{sink.address()};

    T take() {
      if constexpr (is_flat<T>()) {
        if (sink.complete()) {
          return std::move(sink.value());
        }
      }
      return decode_item(item.bytes());
    }
  };
  static T decode_item(std::span<const std::byte> bytes) {
    Decoder decoder(bytes);
    T item = decode_stored<T>(decoder);
    decoder.expect_end();
    return item;
  }
  void put_batch(ItemBatch& batch) const {
    if (batch.count() != 0) {
      core_.put_many(batch);
      batch.clear();
    }
  }
};

}  // namespace detail

/// Items of type T, first in, first out, between any number of producers and consumers in any
/// processes of the tree.
///
///     mp::Queue<std::string> lines;              // sent to others as an argument
///     lines.put("text");                         // is in the queue when put returns
///     for (std::string line : lines) use(line);  // until shutdown()
///
/// What one producer puts arrives in its order. There is no thread behind it: nothing to join or to
/// flush. A process that is killed at any instruction of `put` or `get` blocks nobody, and loses at
/// most the item that it was moving itself; of `put_many` and `get_many` those of one call. Once
/// its end is known, what it was putting is in the queue or never will be. T is anything that can
/// be sent, handles and functions too. A queue without a bound takes memory of the shared heap as
/// it grows, and keeps it for its next items.
///
/// A queue lives as long as a process has a handle of it, or something that is reached from what
/// processes have, such as an item of another queue. One that was put into itself, or into one that
/// is in it, goes as well when no process has it any more, with all that it holds: not at once, but
/// when there may be a few of the kind, and always before `OutOfMemory`.
///
/// A handle; every member may be called from any thread of any process. Python:
/// `multiprocessing.Queue`.
template <class T>
class Queue : protected detail::TypedQueue<T> {
 public:
  using value_type = T;  ///< of an item

  /// For `maxsize` items at most; 0: for as many as there is memory for. Throws `OutOfMemory`.
  explicit Queue(std::size_t maxsize = 0) : Queue(maxsize, "a Queue") {}

  /// Appends an item, waiting while the queue is full. Throws `Full` when the time-out passes
  /// first; `ShutDown` after `shutdown()`; `OutOfMemory`, and the queue works on; what encoding the
  /// item throws; `std::invalid_argument` for a function that captured an address of this process.
  void put(const T& item, Timeout timeout = {}) const {
    if (!this->put_one(item, timeout)) {
      detail::throw_queue_full();
    }
  }
  /// Appends an item unless the queue is full; whether it did. Throws as `put` does. Python:
  /// `put_nowait`.
  bool try_put(const T& item) const { return this->put_one(item, Duration::zero()); }
  /// Appends all items of a range, many at a time, waiting for room. Throws as `put` does; the
  /// first ones may then be in the queue.
  template <std::ranges::input_range Range>
    requires std::convertible_to<std::ranges::range_reference_t<Range>, const T&>
  void put_many(Range&& range) const {
    this->put_range(std::forward<Range>(range));
  }
  /// The same for items in braces.
  void put_many(std::initializer_list<T> items) const { this->put_range(items); }

  /// Takes the first item, waiting while there is none. Throws `Empty` when the time-out passes
  /// first; `ShutDown` when the queue is empty and was shut down; `DecodeError` when the item was
  /// encoded by another build of its type, which loses that item.
  T get(Timeout timeout = {}) const {
    std::optional<T> item = this->get_one(timeout);
    if (!item) {
      detail::throw_queue_empty();
    }
    return std::move(*item);
  }
  /// The first item, or nothing when there is none at this moment. Throws `ShutDown`,
  /// `DecodeError`. Python: `get_nowait`.
  std::optional<T> try_get() const { return this->get_one(Duration::zero()); }
  /// Waits for the first item as `get` does, and takes with it those that are there already, `most`
  /// in all, however large they are. Throws as `get` does. An item that cannot be decoded is lost,
  /// as it is by `get`, and those beside it are returned: what it threw is thrown by the next call
  /// of this thread that gets from this queue, or at once where there are no others.
  std::vector<T> get_many(std::size_t most, Timeout timeout = {}) const {
    return this->get_several(most, timeout);
  }

  /// How many items are in it at this moment, exactly.
  [[nodiscard]] std::size_t size() const { return this->core_.size(); }
  /// Whether there are none.
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Whether there are `maxsize`.
  [[nodiscard]] bool full() const { return this->core_.full(); }

  /// From now on `put` throws `ShutDown`, also where it waits; `get` gives what is left and then
  /// throws it. Python: `queue.Queue.shutdown`.
  void shutdown() const { this->core_.shutdown(); }

  /// Takes items off the queue until it is shut down and empty.
  class iterator {  // NOLINT: named as in the standard library
   public:
    using value_type = T;                               ///< an item
    using difference_type = std::ptrdiff_t;             ///< as an iterator must have
    using iterator_category = std::input_iterator_tag;  ///< each item is there once

    /// The end.
    iterator() = default;
    /// Takes the first item.
    explicit iterator(const Queue& queue) : queue_(&queue) { ++*this; }
    /// The item that was taken last.
    T& operator*() const { return *item_; }
    /// Takes the next one, waiting for it.
    iterator& operator++() {
      try {
        item_.emplace(queue_->get());
      } catch (const ShutDown&) {
        queue_ = nullptr;
      }
      return *this;
    }
    /// The same.
    void operator++(int) { ++*this; }
    /// Whether it is at the end.
    friend bool operator==(const iterator& at, std::default_sentinel_t) {
      return at.queue_ == nullptr;
    }

   private:
    const Queue* queue_ = nullptr;
    mutable std::optional<T> item_;
  };
  /// Takes the first item, waiting for it.
  iterator begin() const { return iterator(*this); }
  /// The end, which `shutdown()` brings.
  std::default_sentinel_t end() const { return {}; }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Queue& queue) { queue.core_.encode(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, Queue& queue) { queue.decode_handle(decoder); }

 protected:
  /// For what is built on it: `what` names the class in texts.
  Queue(std::size_t maxsize, const char* what) : detail::TypedQueue<T>(maxsize, what) {}
};

/// A queue that knows how many of its items are done with.
///
/// A consumer that was killed between `get` and `task_done` leaves its item undone: `join` then
/// waits until somebody else calls `task_done` for it. Python: `multiprocessing.JoinableQueue`.
template <class T>
class JoinableQueue : public Queue<T> {
 public:
  /// As Queue's.
  explicit JoinableQueue(std::size_t maxsize = 0) : Queue<T>(maxsize, "a JoinableQueue") {}

  /// Says that an item that was taken is done with. Throws `ProcessError` when it is called more
  /// often than there were items.
  void task_done() const { this->core_.task_done(); }
  /// Waits until all items that were put are done with; false when the time-out passes first.
  bool join(Timeout timeout = {}) const { return this->core_.join(timeout); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const JoinableQueue& queue) { queue.core_.encode(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, JoinableQueue& queue) { queue.decode_handle(decoder); }
};

/// A queue with the fewest members: no bound and no time-outs. Python:
/// `multiprocessing.SimpleQueue`.
template <class T>
class SimpleQueue : protected Queue<T> {
 public:
  /// An empty queue. Throws `OutOfMemory`.
  SimpleQueue() : Queue<T>(0, "a SimpleQueue") {}

  /// Appends an item. Throws `OutOfMemory`, and what encoding it throws.
  void put(const T& item) const { Queue<T>::put(item); }
  /// Takes the first item, waiting while there is none. Throws `DecodeError`.
  T get() const { return Queue<T>::get(); }
  /// Whether there is none at this moment.
  [[nodiscard]] bool empty() const { return Queue<T>::empty(); }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const SimpleQueue& queue) { queue.core_.encode(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, SimpleQueue& queue) { queue.decode_handle(decoder); }
};

template <class T>
inline constexpr bool detail::kIsHandle<Queue<T>> = true;
template <class T>
inline constexpr bool detail::kIsHandle<JoinableQueue<T>> = true;
template <class T>
inline constexpr bool detail::kIsHandle<SimpleQueue<T>> = true;

}  // namespace procession
