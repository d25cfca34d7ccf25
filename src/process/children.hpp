#pragma once

#include <memory>
#include <vector>

#include "process/child.hpp"

namespace procession::process {

/// The children that this process started and that may still run. Thread-safe.
void register_child(std::shared_ptr<detail::Child> child);
void unregister_child(const detail::Child& child) noexcept;
/// Those that have not ended; ended ones are reaped and forgotten.
std::vector<std::shared_ptr<detail::Child>> living_children();

void lock_children_for_fork();
void unlock_children_for_fork() noexcept;
/// In the child of a fork: they are the parent's children.
void disown_children() noexcept;

}  // namespace procession::process
