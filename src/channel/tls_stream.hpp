// A connected socket, in the clear or encrypted.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "platform/poller.hpp"
#include "platform/stream_socket.hpp"
#include "platform/tls.hpp"

namespace procession::channel {

/// Null: in the clear.
using TlsPtr = std::unique_ptr<platform::TlsSession>;

struct Progress {
  platform::Moved moved;
  platform::Poller::For waits_for;  ///< where nothing moved
};

/// What can be done now, of a socket that does not block.
inline Progress receive_now(int socket, const TlsPtr& tls, std::span<std::byte> room) {
  using For = platform::Poller::For;
  if (tls == nullptr) return {platform::receive_some(socket, room), For::reading};
  const auto result = tls->receive_some(room);
  return {result.moved, result.for_writing ? For::writing : For::reading};
}
inline Progress send_now(int socket, const TlsPtr& tls, std::span<const std::byte> first,
                         std::span<const std::byte> second = {}) {
  using For = platform::Poller::For;
  if (tls == nullptr) return {platform::send_some(socket, first, second), For::writing};
  const auto result = tls->send_some(first, second);
  return {result.moved, result.for_writing ? For::writing : For::reading};
}

/// Waits until one may go on; false when the deadline passes first.
bool wait_for(int socket, platform::Poller::For what, const platform::Deadline& deadline);

/// The same of a socket that blocks, or of one that does not and is encrypted. None moved within
/// kStreamNap: a flow of none.
platform::Moved receive_some(int socket, const TlsPtr& tls, std::span<std::byte> room);
platform::Moved send_some(int socket, const TlsPtr& tls, std::span<const std::byte> first,
                          std::span<const std::byte> second);

}  // namespace procession::channel
