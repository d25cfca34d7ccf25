#pragma once

#include "procession/detail/connection_core.hpp"
#include "procession/detail/handle.hpp"

namespace procession::manager {

/// This thread's own pipe to the server of the manager, whose block this is; made on first use and
/// kept as long as the thread lives. Throws BrokenPipe when the server has ended.
const detail::TransportPtr& pipe_to(std::byte* manager);

[[noreturn]] void throw_server_gone();

}  // namespace procession::manager
