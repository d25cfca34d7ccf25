#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>

#include "channel/transport.hpp"

namespace procession::detail {

/// One end of a stream socket between two programs: whole messages, in CPython's format, and not a
/// byte of the next one read ahead, so that whoever has the descriptor can go on with it.
class SocketTransport final : public Transport {
 public:
  /// What an encoded connection of this kind begins with.
  static constexpr std::uint8_t kKind = 2;

  /// Incoming messages of more than `max_frame` bytes are refused.
  SocketTransport(platform::Descriptor socket, std::uint64_t max_frame);
  ~SocketTransport() override { close(); }

  static TransportPtr decode(Decoder& decoder);

  void send(channel::Outgoing& message) override;
  void receive(Incoming& message) override;
  bool poll(const platform::Deadline& deadline) override;
  int watch() override;
  bool settle(int descriptor) override;
  void encode(Encoder& encoder) override;
  [[nodiscard]] bool readable() const noexcept override { return true; }
  [[nodiscard]] bool writable() const noexcept override { return true; }
  [[nodiscard]] bool abroad() const noexcept override { return true; }

 private:
  class Cautious;

  void left() noexcept override;
  void forked() noexcept override;
  void send_all(int socket, std::span<const std::byte> head, std::span<const std::byte> body);
  template <class Reader>
  void fill(int socket, Reader& reader, Cautious& cautious);
  std::uint64_t identity();
  void tidy() noexcept;

  const std::uint64_t max_frame_;
  std::mutex sending_;
  std::mutex receiving_;
  std::atomic<bool> parked_{false};  ///< a copy of the descriptor may still be on its way
};

}  // namespace procession::detail
