#include "channel/handshake.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

#include "channel/ordered_close.hpp"
#include "channel/socket_transport.hpp"
#include "platform/stream_socket.hpp"
#include "procession/error.hpp"

namespace procession::channel {

using platform::Flow;

namespace {

bool is_gone(const platform::Moved& moved) {
  return moved.flow == Flow::ended || moved.flow == Flow::lost;
}

[[noreturn]] void throw_gone() {
  throw EndOfFile(
      "the other side ended the connection before both had proved that they are who they should "
      "be; it may have another key or none, or use TLS where this side does not, or the other way "
      "round, or have had too many clients at once");
}

}  // namespace

void check_key(const std::optional<AuthKey>& key) {
  if (key && key->empty()) {
    throw std::invalid_argument(
        "asked to authenticate with a key of no bytes, which proves nothing; give an authkey that "
        "is hard to guess, or none at all");
  }
}

Handshake::Handshake(platform::Descriptor socket, TlsPtr tls, Side side,
                     const std::optional<AuthKey>& key, bool allow_md5)
    : socket_(std::move(socket)), tls_(std::move(tls)), encrypted_(tls_ == nullptr), side_(side) {
  if (key) key_proof_.emplace(side, *key, allow_md5);
}

Handshake::~Handshake() {
  // What a fork has of it is the parent's to end.
  if (socket_ && process_ == platform::process_id()) {
    close_in_order(std::move(socket_), std::move(tls_));
  }
}

std::optional<Handshake::For> Handshake::go_on() {
  if (!encrypted_) {
    const auto [moved, for_writing] = tls_->greet();
    if (moved.flow == Flow::none) return for_writing ? For::writing : For::reading;
    if (is_gone(moved)) throw_gone();
    encrypted_ = true;
  }
  while (key_proof_) {
    if (const auto unsent = key_proof_->unsent(); !unsent.empty()) {
      const auto [moved, waits_for] = send_now(socket(), tls_, unsent);
      if (moved.flow == Flow::none) return waits_for;
      if (is_gone(moved)) throw_gone();
      key_proof_->sent(moved.bytes);
      continue;
    }
    if (key_proof_->state() == KeyProof::State::failed) {
      throw AuthenticationError(key_proof_->failure());
    }
    if (key_proof_->state() == KeyProof::State::done) break;
    const auto [moved, waits_for] = receive_now(socket(), tls_, key_proof_->room());
    if (moved.flow == Flow::none) return waits_for;
    if (is_gone(moved)) throw_gone();
    key_proof_->received(moved.bytes);
  }
  return std::nullopt;
}

detail::TransportPtr Handshake::finish(std::uint64_t max_frame) {
  if (tls_ == nullptr) platform::let_stream_block(socket());
  using detail::SocketTransport;
  const auto unproved =
      side_ == Side::client ? SocketTransport::Proof::unknown : SocketTransport::Proof::fresh;
  auto made =
      std::make_shared<SocketTransport>(std::move(socket_), max_frame, std::move(tls_),
                                        key_proof_ ? SocketTransport::Proof::settled : unproved);
  made->begin();
  return made;
}

}  // namespace procession::channel
