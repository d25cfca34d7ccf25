#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "pool/job.hpp"

namespace procession::detail {

/// Chunks that the reader of a stream has pulled and the pool has not taken yet. While the source
/// is fast, the reader hands over many at once; should the source let it wait with some of them
/// held, the supervisor takes them. So one thread puts, and whoever has the pool's mutex takes.
class HeldChunks {
 public:
  using ChunkPtr = std::shared_ptr<StreamChunk>;
  static constexpr std::size_t kMost = 256;

  explicit HeldChunks(JobPtr job) : job_(std::move(job)) {}

  [[nodiscard]] const JobPtr& job() const noexcept { return job_; }

  /// For the reader; there has to be room.
  void put(ChunkPtr chunk) noexcept {
    const std::size_t put = put_.load(std::memory_order_relaxed);
    places_[put % kMost] = std::move(chunk);
    put_.store(put + 1, std::memory_order_release);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return put_.load(std::memory_order_acquire) - taken_.load(std::memory_order_acquire);
  }

  /// With the pool's mutex: calls `take` with each, first to last. What it throws leaves this one,
  /// and the rest, here.
  template <class Take>
  void take_each(Take take) {
    const std::size_t end = put_.load(std::memory_order_acquire);
    for (std::size_t at = taken_.load(std::memory_order_relaxed); at != end;) {
      ChunkPtr& chunk = places_[at % kMost];
      take(chunk);
      chunk = nullptr;
      taken_.store(++at, std::memory_order_release);
    }
  }

  /// With the pool's mutex: whether the reader may hold some any time, so that the supervisor has
  /// to look.
  [[nodiscard]] bool watched() const noexcept { return watched_; }
  void watch(bool on) noexcept {
    watched_ = on;
    looked_.store(false, std::memory_order_relaxed);
  }
  void note_look() noexcept { looked_.store(true, std::memory_order_relaxed); }

  /// Whether the supervisor has looked since the reader began to hold chunks.
  [[nodiscard]] bool looked() const noexcept { return looked_.load(std::memory_order_relaxed); }

  /// In the child of a fork; see StreamChunk::disown.
  void disown() noexcept {
    for (const ChunkPtr& chunk : places_) {
      if (chunk != nullptr) {
        chunk->disown();
      }
    }
  }

 private:
  const JobPtr job_;
  bool watched_ = false;
  std::atomic<bool> looked_{false};
  std::atomic<std::size_t> put_{0};
  std::atomic<std::size_t> taken_{0};
  std::array<ChunkPtr, kMost> places_;
};

}  // namespace procession::detail
