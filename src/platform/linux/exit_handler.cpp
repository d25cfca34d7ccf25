#include <stdlib.h>

#include <cerrno>

#include "platform/exit_handler.hpp"
#include "platform/system_error.hpp"

/// What at_quick_exit() is made of. Handlers of quick_exit() are called as those of exit() are,
/// with the code behind the argument.
extern "C" int __cxa_at_quick_exit(void (*handler)(void* argument, int code),
                                   void* library) noexcept;

namespace procession::platform {

namespace {

void call(int code, void* handler) { reinterpret_cast<void (*)(int)>(handler)(code); }

void (*quick_handler)(int code) noexcept = nullptr;

void call_quick(void* /*none*/, int code) { quick_handler(code); }

}  // namespace

void add_exit_handler(void (*handler)(int code) noexcept) {
  // Unlike atexit(), it tells the code.
  if (::on_exit(call, reinterpret_cast<void*>(handler)) != 0) {
    throw_system_error("register an exit handler", ENOMEM);
  }
}

void add_quick_exit_handler(void (*handler)(int code) noexcept) {
  quick_handler = handler;
  if (::__cxa_at_quick_exit(call_quick, nullptr) != 0) {
    throw_system_error("register a handler of quick_exit()", ENOMEM);
  }
}

}  // namespace procession::platform
