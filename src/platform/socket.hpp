#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "platform/descriptor.hpp"

namespace procession::platform {

/// Two connected ends of a local socket that keeps message boundaries.
std::pair<Descriptor, Descriptor> message_pair();

enum class Delivery { done, peer_gone };

/// Sends one message with copies of the given descriptors. Throws `ProcessError` on any failure but
/// the peer's end.
Delivery send_message(int socket, std::span<const std::byte> message,
                      std::span<const int> descriptors);

struct Received {
  std::size_t size = 0;  ///< 0: the peer has gone
  std::vector<Descriptor> descriptors;
};

/// Waits for one message. Throws `ProcessError` on any failure but the peer's end.
Received receive_message(int socket, std::span<std::byte> room);

}  // namespace procession::platform
