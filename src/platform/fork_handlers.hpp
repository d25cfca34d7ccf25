#pragma once

namespace procession::platform {

/// From now on each fork() of this process calls `before` first and then, in either process, its
/// handler. Throws `ProcessError` when there is no memory for it.
void add_fork_handlers(void (*before)(), void (*in_parent)(), void (*in_child)());

}  // namespace procession::platform
