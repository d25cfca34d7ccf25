#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <new>

#include "channel/queue_object.hpp"
#include "channel/relay_support.hpp"
#include "procession/array.hpp"
#include "procession/queue.hpp"

namespace channel_test {

using ByteQueue = procession::Queue<Bytes>;

inline constexpr std::size_t kProducers = 2;
inline constexpr std::size_t kEach = 12;

inline Bytes numbered(std::size_t producer, std::size_t number) {
  return Bytes(kItemSize, static_cast<std::byte>(producer * 100 + number));
}

/// What the queue names.
inline procession::channel::QueueObject& object_of(const ByteQueue& queue) {
  class Finder final : public procession::Encoder {
   public:
    Finder() : Encoder(room_, std::end(room_)) {}
    void attach(std::uint64_t offset) override { block = offset; }
    std::uint64_t block = 0;

   private:
    void grow(std::size_t) override { throw std::bad_alloc(); }
    std::byte room_[256];
  };
  Finder finder;
  procession::encode(finder, queue);
  return *procession::heap::at<procession::channel::QueueObject>(finder.block);
}

/// Until the queue is shut down. Short items and large ones are counted by themselves.
inline void consume_large(const ByteQueue& queue, const procession::Array<std::uint8_t>& received) {
  std::size_t next[2 * kProducers] = {};
  for (const Bytes& bytes : queue) {
    const auto which = static_cast<std::size_t>(bytes.at(0));
    if (bytes.size() != 1 && bytes != numbered(which / 100, which % 100)) std::abort();
    std::size_t& expected = next[which / 100 * 2 + (bytes.size() == 1 ? 0 : 1)];
    if (which % 100 < expected) std::abort();
    expected = which % 100 + 1;
    std::atomic_ref(received[bytes.size() == 1 ? which : 200 + which]).fetch_add(1);
  }
}

}  // namespace channel_test
