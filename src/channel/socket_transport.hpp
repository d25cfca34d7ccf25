#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>

#include "channel/socket_share.hpp"
#include "channel/tls_stream.hpp"
#include "channel/transport.hpp"
#include "platform/spawn.hpp"
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

  /// What the other side may still want before it takes messages.
  enum class Proof : std::uint8_t {
    settled,  ///< nothing: both have proved what they have
    unknown,  ///< a proof of the key, of which this side, a client, has none; or TLS
    fresh,    ///< TLS, of which this side, a listener, knows nothing
  };

  /// Incoming messages of more than `max_frame` bytes are refused.
  SocketTransport(platform::Descriptor socket, std::uint64_t max_frame,
                  channel::TlsPtr tls = nullptr, Proof proof = Proof::settled);
  ~SocketTransport() override { close(); }

  /// Of a new socket, which no other process has.
  void begin() {
    if (tls_ == nullptr) share_.begin();
  }
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
  [[nodiscard]] bool untrusted() const noexcept override { return true; }
  [[nodiscard]] std::uint64_t most_taken() const noexcept override { return max_frame_; }
  void limit_sent(std::uint64_t most) noexcept override { most_sent_ = most; }
  [[nodiscard]] std::uint64_t most_sent() const noexcept override { return most_sent_; }

 private:
  class Cautious;

  [[nodiscard]] bool closes_at_once() const noexcept override { return false; }
  void part(platform::Descriptor socket) noexcept override;
  void left() noexcept override;
  void before_fork() noexcept override { share_.before_fork(); }
  void forked() noexcept override;
  void end(std::vector<channel::Unclosed>& unclosed) override;
  void check_proof(std::span<const std::byte> message);
  void refuse_tls(int socket, const channel::LengthReader& length);
  [[noreturn]] void throw_unsent(int socket, const platform::Moved& moved);
  [[noreturn]] void throw_end(bool begun, const platform::Moved& moved);
  [[nodiscard]] bool is_enough(int socket, std::span<const std::byte> begin) const;
  [[nodiscard]] bool has_message(int socket);
  void send_all(int socket, std::span<const std::byte> head, std::span<const std::byte> body);
  template <class Reader>
  void fill(int socket, Reader& reader, Cautious& cautious);
  void await_first(int socket, channel::LengthReader& length, Cautious& cautious);
  std::uint64_t identity();
  void tidy() noexcept;

  const std::uint64_t max_frame_;
  std::atomic<std::uint64_t> most_sent_{~std::uint64_t{0}};  ///< see `limit_sent`
  channel::TlsPtr tls_;                                      ///< null: in the clear
  std::mutex sending_;
  std::mutex receiving_;
  sync::AdaptiveSpin spin_;          ///< of who receives
  std::atomic<bool> queued_{false};  ///< a copy of the descriptor may still be on its way
  std::atomic<Proof> proof_;
  std::atomic<const char*> lost_{nullptr};  ///< why the connection broke; null: it has not
  channel::SocketShare share_;
  int process_ = platform::process_id();
};

}  // namespace procession::detail
