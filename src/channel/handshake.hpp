// From a connected socket to a connection that both sides trust, in steps that never wait.
#pragma once

#include <optional>

#include "channel/authentication.hpp"
#include "channel/tls_stream.hpp"
#include "platform/descriptor.hpp"
#include "platform/poller.hpp"
#include "platform/spawn.hpp"
#include "procession/detail/connection_core.hpp"

namespace procession::channel {

class Handshake {
 public:
  using Side = KeyProof::Side;
  using For = platform::Poller::For;

  /// The socket must not block. With `tls`, it is encrypted first.
  Handshake(platform::Descriptor socket, TlsPtr tls, Side side, const std::optional<AuthKey>& key,
            bool allow_md5);
  Handshake(Handshake&& other) noexcept = default;
  Handshake& operator=(Handshake&& other) = delete;
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;
  /// Closes the socket, and what was said last still arrives: why this side gives up.
  ~Handshake();

  /// Goes on as far as it can: what it then has to wait for; empty when the other side is trusted.
  /// Throws AuthenticationError, DecodeError; EndOfFile when the other side is gone.
  std::optional<For> go_on();

  [[nodiscard]] int socket() const noexcept { return socket_.get(); }

  /// The connection. Once, when go_on() has returned empty.
  detail::TransportPtr finish(std::uint64_t max_frame);

 private:
  platform::Descriptor socket_;
  TlsPtr tls_;
  bool encrypted_;  ///< or nothing is to be
  std::optional<KeyProof> key_proof_;
  Side side_;
  int process_ = platform::process_id();
};

/// Throws std::invalid_argument for a key of no bytes, which proves nothing.
void check_key(const std::optional<AuthKey>& key);

}  // namespace procession::channel
