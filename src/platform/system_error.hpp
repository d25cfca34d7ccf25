#pragma once

#include <string>
#include <string_view>

namespace procession::platform {

/// Throws `ProcessError`: "cannot WHAT: TEXT OF THE CODE" and, for codes whose cause is a limit,
/// what to do about it. Without a code, `errno` is taken.
[[noreturn]] void throw_system_error(std::string_view what);
[[noreturn]] void throw_system_error(std::string_view what, int code);

/// The sentence that `throw_system_error` would throw.
std::string system_error_text(std::string_view what, int code);

}  // namespace procession::platform
