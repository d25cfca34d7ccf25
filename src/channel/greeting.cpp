#include "channel/greeting.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

#include "channel/socket_transport.hpp"
#include "platform/stream_socket.hpp"
#include "procession/error.hpp"

namespace procession::channel {

using platform::Flow;
using platform::Moved;

namespace {

[[noreturn]] void throw_gone() {
  throw EndOfFile(
      "the other side ended the connection before both had proved that they have the key; it may "
      "have another key or none, or have had too many clients at once");
}

}  // namespace

void check_key(const std::optional<AuthKey>& key) {
  if (key && key->empty()) {
    throw std::invalid_argument(
        "asked to authenticate with a key of no bytes, which proves nothing; give an authkey that "
        "is hard to guess, or none at all");
  }
}

Greeting::Greeting(platform::Descriptor socket, Side side, const std::optional<AuthKey>& key,
                   bool allow_md5)
    : socket_(std::move(socket)) {
  if (key) handshake_.emplace(side, *key, allow_md5);
}

std::optional<Greeting::For> Greeting::go_on() {
  while (handshake_) {
    if (const auto unsent = handshake_->unsent(); !unsent.empty()) {
      const Moved moved = platform::send_some(socket(), unsent, {});
      if (moved.flow == Flow::none) return For::writing;
      if (moved.flow == Flow::ended) throw_gone();
      handshake_->sent(moved.bytes);
      continue;
    }
    if (handshake_->state() == Handshake::State::failed) {
      throw AuthenticationError(handshake_->failure());
    }
    if (handshake_->state() == Handshake::State::done) break;
    const Moved moved = platform::receive_some(socket(), handshake_->room());
    if (moved.flow == Flow::none) return For::reading;
    if (moved.flow == Flow::ended) throw_gone();
    handshake_->received(moved.bytes);
  }
  return std::nullopt;
}

detail::TransportPtr Greeting::finish(std::uint64_t max_frame) {
  platform::let_stream_block(socket());
  return std::make_shared<detail::SocketTransport>(std::move(socket_), max_frame);
}

}  // namespace procession::channel
