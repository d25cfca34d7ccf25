#pragma once

#include <string>

#include "procession/timeout.hpp"

namespace procession::process {

/// Throws `NotInitialized`, with the line to add, unless `init()` was called. `what` says what was
/// asked for, and executes this program.
void require_init(const std::string& what);
void mark_init() noexcept;
/// For a fork, which needs no init(): throws `NotInitialized` in a constructor of a static object,
/// whose child would run with static objects that are not there yet.
void require_main();

/// Before the first child, and in init(): sees to it that the end of this process is orderly
/// (`end_children`) and that a fork of it is too. Thread-safe.
void prepare_exit();

/// What the services above do first when this process ends: stop their workers. It returns how much
/// of the grace that is one for all children those have used up (grace_period.hpp). At most one; it
/// must not throw.
void set_services_end(Duration (*end)());
/// In the child of a fork, what the services forget.
void set_services_fork(void (*prepare)(), void (*parent)(), void (*child)());

}  // namespace procession::process
