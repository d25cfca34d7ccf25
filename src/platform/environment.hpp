#pragma once

#include <optional>
#include <string>

namespace procession::platform {

/// The value of an environment variable, which is removed; empty when it is not set. For the start
/// of main() only: the environment may not be changed beside threads that read it.
std::optional<std::string> take_environment(const char* name);

}  // namespace procession::platform
