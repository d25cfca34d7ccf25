#include "log/level.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace procession::log {

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "DEBUG";
    case LogLevel::info:
      return "INFO";
    case LogLevel::warning:
      return "WARNING";
    case LogLevel::error:
      return "ERROR";
    case LogLevel::off:
      break;
  }
  return "OFF";
}

void check_level(LogLevel level) {
  if (level < LogLevel::debug || level > LogLevel::off) {
    throw std::invalid_argument("the log level " + std::to_string(static_cast<int>(level)) +
                                " was asked for, and there is none of that number; name one of "
                                "LogLevel: debug, info, warning, error, off");
  }
}

std::optional<LogLevel> parse_level(std::string_view text) {
  const auto upper = [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  };
  for (const LogLevel level :
       {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error, LogLevel::off}) {
    const std::string_view name = level_name(level);
    if (std::equal(text.begin(), text.end(), name.begin(), name.end(),
                   [&](char a, char b) { return upper(a) == b; })) {
      return level;
    }
  }
  return std::nullopt;
}

std::string line_of(const LogRecord& record) {
  std::string line = "[";
  line += level_name(record.level);
  line += "/" + record.process + "] " + record.message + "\n";
  return line;
}

}  // namespace procession::log
