#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "platform/socket.hpp"
#include "process/record.hpp"

namespace procession::process {

/// Descriptors that a call may bring along, besides those of `ForkRequest::sent`.
inline constexpr std::size_t kMostPassed = platform::kMostDescriptors - 4;

/// What goes through the fork server's socket: a message for each child that is wanted, and one
/// back when there are no more, with a reply for each and the text of a failure, if any, behind
/// them.
struct ForkRequest {
  Record::Claim claim;
  /// Bit N: descriptor N (0 to 2) is open and sent along, in order; bit 3: so is the working
  /// directory. Those of the call follow.
  std::uint16_t sent;
  std::uint16_t more;  ///< 1: the requester sends another one before it looks for replies
  std::uint32_t unused = 0;
};
// All of it is sent, so no byte may be padding, which holds whatever lay there before.
static_assert(std::has_unique_object_representations_v<ForkRequest>);

struct ForkReply {
  enum Result : std::int32_t { started, failed, cannot_clone, preload_failed };
  std::int32_t result;
  std::int32_t value;  ///< the process id, or an error code
};
static_assert(std::has_unique_object_representations_v<ForkReply>);

/// Bytes of the text that comes with `preload_failed`.
inline constexpr std::size_t kMostFailureText = 1024;

}  // namespace procession::process
