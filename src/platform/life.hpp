#pragma once

#include "platform/descriptor.hpp"

namespace procession::platform {

/// How a process notices its parent's end, SIGKILL included, with no thread of its own: the parent
/// keeps the only writing end of a pipe and never writes; when it ends, however it does, the kernel
/// closes that end and signals those who armed the reading end. (`PR_SET_PDEATHSIG` follows the
/// parent's *thread*, not the process.)
struct LifeLine {
  Descriptor held;     ///< the parent's: never given to anyone
  Descriptor watched;  ///< the children's
};

LifeLine make_life_line();

/// From now on SIGKILL ends this process when the holder of the other end has gone; at once if it
/// has gone already. Returns the descriptor that must stay open for it.
Descriptor die_with(int watched);

}  // namespace procession::platform
