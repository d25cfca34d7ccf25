#pragma once

#include <optional>
#include <string_view>

#include "procession/log.hpp"

namespace procession::log {

/// The level that `PROCESSION_LOG` names, in any case; empty for another word.
std::optional<LogLevel> parse_level(std::string_view text);

/// Throws std::invalid_argument for a number that is no level.
void check_level(LogLevel level);

/// "DEBUG", "INFO", "WARNING", "ERROR", "OFF".
std::string_view level_name(LogLevel level);

/// "[INFO/MainProcess] message\n".
std::string line_of(const LogRecord& record);

}  // namespace procession::log
