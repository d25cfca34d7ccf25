// A small piece of shared memory through which many bytes go from a process that writes them to one
// that reads them at the same time: they stay in the processors' caches on their way.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "heap/testing.hpp"

namespace procession::channel {

/// So many bytes, and more, are relayed.
inline constexpr std::size_t kRelayLeast = std::size_t{2} << 20;
inline constexpr std::size_t kRelayWindow = std::size_t{512} << 10;
/// Copied at a time.
inline constexpr std::size_t kRelayPiece = std::size_t{32} << 10;
static_assert(kRelayWindow % kRelayPiece == 0);

struct RelayWindow {
  alignas(64) std::atomic<std::uint64_t> written;  ///< bytes
  alignas(64) std::atomic<std::uint64_t> read;     ///< bytes
  alignas(64) std::byte bytes[kRelayWindow];

  void reset() noexcept { written = read = 0; }

  // Of the writer, whose bytes are `from`.

  /// Whether all of `from` is written.
  [[nodiscard]] bool has_all(std::span<const std::byte> from) const noexcept {
    return written.load(std::memory_order_relaxed) == from.size();
  }
  /// Whether there is room for the next piece.
  [[nodiscard]] bool has_room(std::span<const std::byte> from) const noexcept {
    const std::uint64_t done = written.load(std::memory_order_relaxed);
    return done + piece_at(from, done) - read.load(std::memory_order_acquire) <= kRelayWindow;
  }
  void write(std::span<const std::byte> from) noexcept {
    const std::uint64_t done = written.load(std::memory_order_relaxed);
    const std::size_t piece = piece_at(from, done);
    std::memcpy(bytes + done % kRelayWindow, from.data() + done, piece);
    heap::testing::step();
    written.store(done + piece, std::memory_order_release);
    heap::testing::step();
  }

  // Of the reader.

  /// The next piece, or what there is of it; empty where nothing is.
  [[nodiscard]] std::span<const std::byte> next() const noexcept {
    const std::uint64_t done = read.load(std::memory_order_relaxed);
    const std::size_t place = done % kRelayWindow;
    const std::size_t there = written.load(std::memory_order_acquire) - done;
    return {bytes + place, std::min({there, kRelayPiece, kRelayWindow - place})};
  }
  /// So many of them were read.
  void advance(std::size_t count) noexcept {
    heap::testing::step();
    read.store(read.load(std::memory_order_relaxed) + count, std::memory_order_release);
    heap::testing::step();
  }

 private:
  static std::size_t piece_at(std::span<const std::byte> from, std::uint64_t done) noexcept {
    return std::min<std::size_t>(kRelayPiece, from.size() - done);
  }
};

}  // namespace procession::channel
