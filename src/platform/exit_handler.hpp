#pragma once

namespace procession::platform {

/// From now on exit(), and the return of main(), call `handler` with the exit code; before the
/// handlers that were registered earlier. Throws `ProcessError` when there is no memory for it.
void add_exit_handler(void (*handler)(int code) noexcept);

/// From now on quick_exit() calls `handler` with the exit code, before the handlers that were
/// registered earlier by at_quick_exit(). There is one such handler. Throws `ProcessError` when
/// there is no memory for it.
void add_quick_exit_handler(void (*handler)(int code) noexcept);

}  // namespace procession::platform
