#include <pthread.h>

#include "platform/fork_handlers.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

void add_fork_handlers(void (*before)(), void (*in_parent)(), void (*in_child)()) {
  if (const int error = ::pthread_atfork(before, in_parent, in_child); error != 0) {
    throw_system_error("register fork handlers", error);
  }
}

}  // namespace procession::platform
