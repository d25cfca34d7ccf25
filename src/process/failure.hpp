#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace procession::process {

/// "TYPE: TEXT" of any exception and, on lines of their own, of those nested in it.
std::string failure_text(const std::exception_ptr& failure);

/// Writes "WHAT NAME:" ("Process Process-1:") and, below it, `failure_text` to stderr, in one
/// piece.
void report_failure(std::string_view what, const std::string& name,
                    const std::exception_ptr& failure) noexcept;

}  // namespace procession::process
