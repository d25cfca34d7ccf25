#pragma once

#include "procession/detail/connection_core.hpp"
#include "procession/detail/handle.hpp"

namespace procession::manager {

/// This thread's own pipe to the server of the manager, whose block this is; made on first use, and
/// kept as thread_connections.hpp says. Throws BrokenPipe when the server has ended.
detail::TransportPtr pipe_to(std::byte* manager);

/// The server has ended, as its owner knows: says so to all processes, and gives back this one's
/// pipes to it.
void let_go_of_pipes(std::byte* manager) noexcept;

}  // namespace procession::manager
