#pragma once

#include <functional>
#include <string>

#include "procession/log.hpp"

/// How the library's own floors write records. Nothing here takes a lock, so that a process forked
/// while another thread was logging can log too. A sink is the user's code and may call the
/// library: a record that is written by a thread with a mutex of the library's own is delivered
/// once that thread has given it back; one that is written by a thread on which others wait, by
/// another one; and what a sink's own thread writes meanwhile is not given to the sink again.
namespace procession::log {

/// True when somebody wants records of this level: ask before a costly text is made.
bool enabled(LogLevel level) noexcept;

/// Writes one record. Never throws: a record that cannot be made or written is dropped.
void write(LogLevel level, std::string message) noexcept;

/// Hands what is to be called to another thread. It must neither wait nor throw.
using Elsewhere = void (*)(std::function<void()> deliver) noexcept;

/// From now on the records of this thread are delivered by `elsewhere`; null: here. For threads of
/// the library's own, which others wait for: a sink may wait for those in turn.
void deliver_by(Elsewhere elsewhere) noexcept;

/// Whether this thread is in the user's sink.
bool inside_sink() noexcept;

/// In the child of a fork: this thread is none of those, and in no sink, any more.
void forget_thread() noexcept;

/// What `log_to_stderr` or the environment asked for: a new process is given its parent's.
LogLevel stderr_level() noexcept;

/// For a new process, while it has a single thread: its name in the records to come, "MainProcess"
/// until then, and its parent's level. Never throws; without memory both stay.
void begin_process(std::string name, LogLevel to_stderr) noexcept;

}  // namespace procession::log
