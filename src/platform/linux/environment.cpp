#include <stdlib.h>

#include "platform/environment.hpp"

namespace procession::platform {

std::optional<std::string> find_environment(const char* name) {
  const char* const value = ::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> take_environment(const char* name) {
  std::optional<std::string> value = find_environment(name);
  if (value) {
    ::unsetenv(name);
  }
  return value;
}

}  // namespace procession::platform
