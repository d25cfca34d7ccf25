#pragma once

namespace procession::platform {

/// Makes this process one of no terminal, which Ctrl-C, a hangup or SIGTERM do not end, with no
/// folder that it keeps busy, and with /dev/null for its standard descriptors.
void become_background_process() noexcept;

}  // namespace procession::platform
