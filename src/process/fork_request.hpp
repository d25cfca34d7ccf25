#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/socket.hpp"
#include "process/record.hpp"

namespace procession::process {

/// Descriptors that a call may bring along, besides those of `ForkRequest::sent`.
inline constexpr std::size_t kMostPassed = platform::kMostDescriptors - 4;

/// What goes through the fork server's socket, one message each way for a child.
struct ForkRequest {
  Record::Claim claim;
  /// Bit N: descriptor N (0 to 2) is open and sent along, in order; bit 3: so is the working
  /// directory. Those of the call follow.
  std::uint16_t sent;
};

struct ForkReply {
  enum Result : std::int32_t { started, failed, cannot_clone, preload_failed };
  std::int32_t result;
  std::int32_t value;  ///< the process id, or an error code
  char text[1024];     ///< for `preload_failed`; ends with a zero
};

}  // namespace procession::process
