#include <stdlib.h>

#include <cerrno>

#include "platform/exit_handler.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

namespace {

void call(int code, void* handler) { reinterpret_cast<void (*)(int)>(handler)(code); }

}  // namespace

void add_exit_handler(void (*handler)(int code) noexcept) {
  // Unlike atexit(), it tells the code.
  if (::on_exit(call, reinterpret_cast<void*>(handler)) != 0) {
    throw_system_error("register an exit handler", ENOMEM);
  }
}

}  // namespace procession::platform
