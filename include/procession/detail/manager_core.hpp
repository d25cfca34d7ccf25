#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "procession/context.hpp"
#include "procession/detail/handle.hpp"

/// What Manager needs of the compiled manager floor.
namespace procession::detail {

/// A manager's server, as its owner has it.
class ManagerCore;
using ManagerPtr = std::shared_ptr<ManagerCore>;

ManagerPtr start_manager(std::optional<StartMethod> method);
/// Throws ProcessError for none, and after the shutdown.
const Handle& manager_block(const ManagerPtr& manager);
std::size_t count_objects(const ManagerPtr& manager);
int manager_pid(const ManagerPtr& manager);
void shut_down_manager(const ManagerPtr& manager);
/// What ~Manager does. Null: nothing.
void end_manager(ManagerPtr& manager) noexcept;

}  // namespace procession::detail
