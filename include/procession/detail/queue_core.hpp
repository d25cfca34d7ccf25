#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "procession/codec.hpp"
#include "procession/detail/flat_item.hpp"
#include "procession/detail/handle.hpp"
#include "procession/detail/payload_builder.hpp"
#include "procession/timeout.hpp"

/// What the templates of queue.hpp need of the compiled channel floor.
namespace procession::detail {

/// Items of up to so many encoded bytes lie in the ring; larger ones, and those that name shared
/// objects, in a block of the shared heap.
inline constexpr std::size_t kInlineItem = 512;

/// An item on its way into a queue: where it is in place, it is to travel in the ring.
class ItemEncoder final : public PayloadBuilder {
 public:
  ItemEncoder() : PayloadBuilder(inline_, 0) {}

 private:
  alignas(8) std::byte inline_[kInlineItem];
};

/// One item that was taken off a queue, still encoded.
class ReceivedItem {
 public:
  /// Where there is a sink, a flat item may be there instead, and complete.
  explicit ReceivedItem(FlatSink* sink = nullptr) : sink_(sink) {}
  ReceivedItem(const ReceivedItem&) = delete;
  ReceivedItem& operator=(const ReceivedItem&) = delete;
  ~ReceivedItem();

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  friend class QueueCore;

  FlatSink* const sink_;
  std::span<const std::byte> bytes_;
  std::uint64_t hold_id_ = 0;  ///< of the block that the bytes lie in; 0: they lie here
  alignas(8) std::byte inline_[kInlineItem];
};

/// Items in a row, as they lie in a ring: each is a word with its size, and its bytes, up to a
/// multiple of eight. Instead of the bytes of one that lies in a block, which the batch holds then,
/// there is the size of that item; only what was taken off a queue has such.
class ItemBatch {
 public:
  ItemBatch() = default;
  ItemBatch(const ItemBatch&) = delete;
  ItemBatch& operator=(const ItemBatch&) = delete;
  ~ItemBatch() {
    if (!blocks_.empty()) drop_blocks(blocks_.size());
  }

  /// Bytes that an item of so many takes.
  static constexpr std::size_t span_of(std::size_t bytes) { return 8 + (bytes + 7) / 8 * 8; }

  /// One more, of `Bytes` bytes, at most kInlineItem.
  template <std::size_t Bytes>
  void add(const void* item) {
    std::byte* const record = extend(span_of(Bytes));
    constexpr std::uint64_t word = Bytes;
    std::memcpy(record, &word, 8);
    std::memcpy(record + 8, item, Bytes);
    ++count_;
  }
  /// The same of any size.
  void add(std::span<const std::byte> item);
  void clear() { size_ = count_ = 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  /// Takes the first item off `rest`, which begins as `bytes()`. What lies in a block is there
  /// until the next call.
  std::span<const std::byte> next(std::span<const std::byte>& rest) {
    std::uint64_t size = 0;
    std::memcpy(&size, rest.data(), 8);
    if (size == kInBlock) [[unlikely]]
      return next_block(rest);
    const std::span<const std::byte> item = rest.subspan(8, size);
    rest = rest.subspan(span_of(size));
    return item;
  }
  /// The same for an item of `Bytes` bytes; null, and nothing is taken, where it is not one. To be
  /// faster: where the next one lies is known before this one was read.
  template <std::size_t Bytes>
  static const std::byte* next(std::span<const std::byte>& rest) {
    std::uint64_t size = 0;
    std::memcpy(&size, rest.data(), 8);
    if (size != Bytes) return nullptr;
    const std::byte* const item = rest.data() + 8;
    rest = rest.subspan(span_of(Bytes));
    return item;
  }

 private:
  friend class QueueCore;
  static constexpr std::uint64_t kInBlock = ~std::uint64_t{0};

  /// Room for so many bytes more.
  std::byte* extend(std::size_t bytes) {
    if (capacity_ - size_ < bytes) {
      grow(bytes);
    }
    std::byte* const begin = bytes_.get() + size_;
    size_ += bytes;
    return begin;
  }
  void grow(std::size_t at_least);
  /// Makes room for one in a block, for which `add_block` then needs no memory.
  void expect_block();
  void add_block(std::uint64_t hold_id, std::size_t size) noexcept;
  std::span<const std::byte> next_block(std::span<const std::byte>& rest);
  /// Of the first blocks those that are still there.
  void drop_blocks(std::size_t end);

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t count_ = 0;
  std::vector<std::uint64_t> blocks_;  ///< hold ids, in the order of their records
  std::size_t read_ = 0;               ///< how many of them were the next one
  std::size_t dropped_ = 0;            ///< how many were given back
};

/// A queue of encoded items. A handle.
class QueueCore {
 public:
  QueueCore(std::size_t maxsize, std::uint64_t fingerprint, const char* what);

  void encode(Encoder& encoder) const { handle_.encode(encoder, what_); }
  void decode(Decoder& decoder, std::uint64_t fingerprint);

  /// Waits while it is full, so that who encodes an item then has no memory before there is room
  /// for it, and takes what it waited off the time-out. False when that passes. Throws ShutDown.
  bool await_room(Timeout& timeout) const;
  /// False when it is full and the time-out passes. Throws ShutDown.
  bool put(std::span<const std::byte> item, Timeout timeout) const;
  bool put(ItemEncoder& item, Timeout timeout) const;
  /// Waits for room, too. The item is to be large.
  bool put(const FlatItem& item, Timeout timeout) const;
  /// Waits for room as often as need be. Throws ShutDown: the first ones may have been put.
  void put_many(const ItemBatch& items) const;

  /// False when it is empty and the time-out passes. Throws ShutDown when it is empty and shut
  /// down.
  bool get(ReceivedItem& item, Timeout timeout) const;
  /// The same for an item of exactly `into.size()` bytes. Throws DecodeError for another one.
  bool get(std::span<std::byte> into, Timeout timeout) const;
  /// Waits for the first, and takes up to `most` that are there, into `batch`. Where it is handed
  /// over instead, it is in `sink`, by itself. False as above.
  bool get_many(ItemBatch& batch, FlatSink* sink, std::size_t most, Timeout timeout) const;
  /// An item of a batch has thrown this, and others are returned: the next call of this thread that
  /// gets, from this queue, throws it, and does nothing else.
  void defer(std::exception_ptr thrown) const;
  void throw_deferred() const;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool full() const;
  void shutdown() const;

  /// What a JoinableQueue has besides.
  void task_done() const;
  bool join(Timeout timeout) const;

 private:
  Handle handle_;
  const char* what_;
};

[[noreturn]] void throw_queue_full();
[[noreturn]] void throw_queue_empty();

}  // namespace procession::detail
