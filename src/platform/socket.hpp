#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "platform/descriptor.hpp"

namespace procession::platform {

/// Two connected ends of a local socket that keeps message boundaries.
std::pair<Descriptor, Descriptor> message_pair();

enum class Delivery { done, peer_gone, no_room };
enum class Waiting { yes, no };
enum class Look { no, yes };

/// Descriptors that one message can carry.
inline constexpr std::size_t kMostDescriptors = 253;

/// Sends one message with copies of the given descriptors. Throws `ProcessError` on any failure but
/// the peer's end and, where it is not to wait, a lack of room.
Delivery send_message(int socket, std::span<const std::byte> message,
                      std::span<const int> descriptors, Waiting waiting = Waiting::yes);

struct Received {
  std::size_t size = 0;  ///< 0: the peer has gone
  std::vector<Descriptor> descriptors;
};

/// Waits for one message. Throws `ProcessError` on any failure but the peer's end. Of one that is
/// only looked at, which stays, the descriptors are new ones.
Received receive_message(int socket, std::span<std::byte> room, Waiting waiting = Waiting::yes,
                         Look look = Look::no);

}  // namespace procession::platform
