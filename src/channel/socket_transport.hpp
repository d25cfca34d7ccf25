#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>

#include "channel/stream.hpp"
#include "channel/transport.hpp"
#include "sync/adaptive_spin.hpp"

namespace procession::channel {
class LengthReader;
}

namespace procession::detail {

/// One end of a stream socket between two programs: whole messages, in CPython's format, and not a
/// byte of the next one read ahead, so that whoever has the descriptor can go on with it.
class SocketTransport final : public Transport {
 public:
  /// What an encoded connection of this kind begins with.
  static constexpr std::uint8_t kKind = 2;

  /// Incoming messages of more than `max_frame` bytes are refused.
  SocketTransport(platform::Descriptor socket, std::uint64_t max_frame,
                  channel::TlsPtr tls = nullptr);
  ~SocketTransport() override { close(); }

  static TransportPtr decode(Decoder& decoder);

  void send(channel::Outgoing& message) override;
  void send_bytes(std::span<const std::byte> bytes) override;
  void receive(Incoming& message) override;
  bool poll(const platform::Deadline& deadline) override;
  int watch() override;
  bool settle(int descriptor) override;
  bool buffered() override { return tls_ != nullptr && tls_->pending(); }
  void encode(Encoder& encoder) override;
  [[nodiscard]] bool readable() const noexcept override { return true; }
  [[nodiscard]] bool writable() const noexcept override { return true; }
  [[nodiscard]] bool abroad() const noexcept override { return true; }
  [[nodiscard]] std::uint64_t most_taken() const noexcept override { return max_frame_; }
  void limit_sent(std::uint64_t most) noexcept override { most_sent_ = most; }
  [[nodiscard]] std::uint64_t most_sent() const noexcept override { return most_sent_; }

 private:
  class Cautious;

  void left() noexcept override;
  void forked() noexcept override;
  void send_all(int socket, std::span<const std::byte> head, std::span<const std::byte> body);
  template <class Reader>
  void fill(int socket, Reader& reader, Cautious& cautious);
  void await_first(int socket, channel::LengthReader& length, Cautious& cautious);
  std::uint64_t identity();
  void tidy() noexcept;

  const std::uint64_t max_frame_;
  std::atomic<std::uint64_t> most_sent_{~std::uint64_t{0}};  ///< see `limit_sent`
  const channel::TlsPtr tls_;                                ///< null: in the clear
  std::mutex sending_;
  std::mutex receiving_;
  sync::AdaptiveSpin spin_;          ///< of who receives
  std::atomic<bool> parked_{false};  ///< a copy of the descriptor may still be on its way
};

}  // namespace procession::detail
