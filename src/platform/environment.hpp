#pragma once

#include <optional>
#include <string>

namespace procession::platform {

/// The value of an environment variable; empty when it is not set.
std::optional<std::string> find_environment(const char* name);

/// The same, and the variable is removed. For the start
/// of main() only: the environment may not be changed beside threads that read it.
std::optional<std::string> take_environment(const char* name);

}  // namespace procession::platform
