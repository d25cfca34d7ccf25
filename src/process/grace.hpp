#pragma once

#include <chrono>

#include "process/child.hpp"

namespace procession::process {

/// How long a terminated child may take to end before it is killed.
inline constexpr std::chrono::seconds kGrace{5};

/// Waits for a child that was sent SIGTERM, and kills it when it does not heed that.
inline void join_terminated(detail::Child& child) {
  if (!child.join(kGrace)) {
    child.signal(platform::Signal::kill);
    child.join({});
  }
}

}  // namespace procession::process
