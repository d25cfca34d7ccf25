#pragma once

#include <string>

#include "procession/log.hpp"

/// How the library's own floors write records. Nothing here takes a lock, so that a process forked
/// while another thread was logging can log too.
namespace procession::log {

/// True when somebody wants records of this level: ask before a costly text is made.
bool enabled(LogLevel level) noexcept;

/// Writes one record. Never throws: a record that cannot be made or written is dropped.
void write(LogLevel level, std::string message) noexcept;

/// What `log_to_stderr` or the environment asked for: a new process is given its parent's.
LogLevel stderr_level() noexcept;

/// For a new process, while it has a single thread: its name in the records to come, "MainProcess"
/// until then, and its parent's level. Never throws; without memory both stay.
void begin_process(std::string name, LogLevel to_stderr) noexcept;

}  // namespace procession::log
