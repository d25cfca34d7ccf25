#include "channel/frame.hpp"

#include <algorithm>
#include <string>

#include "procession/error.hpp"

namespace procession::channel {

namespace {

constexpr std::uint64_t kMostShort = 0x7fff'ffff;
constexpr std::uint32_t kLong = 0xffff'ffff;  // -1
constexpr std::size_t kShortHead = 4;

/// The same for what has arrived: how many times as much it may make room for.
constexpr std::uint64_t kAhead = 8;
/// Bytes asked for at a time, few at first: what is cleared before it is filled is still in the
/// cache then.
constexpr std::size_t kFirstPiece = std::size_t{16} << 10;
constexpr std::size_t kMostPiece = std::size_t{256} << 10;

void write_number(std::byte* to, std::uint64_t number, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i != bytes; ++i)
    to[i] = static_cast<std::byte>(number >> 8 * (bytes - 1 - i));
}

std::uint64_t read_number(const std::byte* from, std::size_t bytes) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i != bytes; ++i)
    number = number << 8 | std::to_integer<std::uint64_t>(from[i]);
  return number;
}

}  // namespace

FrameHead::FrameHead(std::uint64_t length) noexcept
    : size_(length > kMostShort ? kMost : kShortHead) {
  if (length > kMostShort) {
    write_number(bytes_.data(), kLong, kShortHead);
    write_number(bytes_.data() + kShortHead, length, kMost - kShortHead);
  } else {
    write_number(bytes_.data(), length, kShortHead);
  }
}

void LengthReader::filled(std::size_t bytes) {
  filled_ += bytes;
  if (!complete()) return;
  if (wanted_ == FrameHead::kMost) {
    length_ = read_number(bytes_ + kShortHead, FrameHead::kMost - kShortHead);
  } else {
    length_ = read_number(bytes_, kShortHead);
    if (length_ == kLong) {
      wanted_ = FrameHead::kMost;
      return;
    }
    if (length_ > kMostShort) {
      throw DecodeError("asked to receive a message, found the negative length " +
                        std::to_string(static_cast<std::int32_t>(length_)) +
                        "; the other side does not speak the format of multiprocessing.connection");
    }
  }
  if (length_ > most_) {
    throw DecodeError("asked to receive a message of up to " + std::to_string(most_) +
                      " bytes, found one of " + std::to_string(length_) +
                      "; if it is meant, raise max_frame in the ListenerOptions or ClientOptions");
  }
}

BodyReader::BodyReader(std::uint64_t length, std::uint64_t at_first) : length_(length) {
  bytes_.reserve(std::min(length, at_first));
}

std::span<std::byte> BodyReader::room() {
  if (filled_ == bytes_.size() && filled_ != length_) {
    const std::uint64_t larger =
        std::min<std::uint64_t>(length_, filled_ + std::clamp(filled_, kFirstPiece, kMostPiece));
    if (larger > bytes_.capacity()) {
      bytes_.reserve(std::min(length_, std::max(larger, kAhead * bytes_.capacity())));
    }
    bytes_.resize(larger);
  }
  return std::span(bytes_).subspan(filled_);
}

}  // namespace procession::channel
