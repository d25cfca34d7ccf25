#include <stdlib.h>

#include "platform/environment.hpp"

namespace procession::platform {

std::optional<std::string> take_environment(const char* name) {
  const char* const value = ::getenv(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  std::string copy = value;
  ::unsetenv(name);
  return copy;
}

}  // namespace procession::platform
