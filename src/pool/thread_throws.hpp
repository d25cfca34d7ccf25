#pragma once

#include <cstdint>
#include <vector>

#include "pool/failure.hpp"
#include "pool/layout.hpp"

// What tasks on threads throw, as it was thrown: nothing of it needs to be bytes, and not every
// type can be. It is kept beside the shared block of the pool, which only names it by a number, so
// that nobody finds an address there that another process may have written.
namespace procession::pool {

/// By number, from 1 on.
using ThreadThrows = std::vector<detail::Failure>;

/// Keeps what a task in that slot threw until somebody takes it; its number. Thread-safe.
std::uint32_t keep_thrown(const Slot& slot, detail::Failure thrown);
/// The same of what an initializer threw.
void keep_thrown(const Shared& shared, detail::Failure thrown);

/// All that was kept for that slot. Thread-safe.
ThreadThrows take_thrown(const Slot& slot);
/// All that initializers threw. Thread-safe.
ThreadThrows take_thrown(const Shared& shared);

/// The one of that number; none where there is none.
inline detail::Failure thrown_of(const ThreadThrows& all, std::uint32_t number) {
  return number != 0 && number <= all.size() ? all[number - 1] : detail::Failure();
}

/// Of a pool that ends: nobody takes what was kept for it.
void forget_thrown(const Shared& shared) noexcept;

/// In the child of a fork: another thread may have been in here.
void disown_thrown() noexcept;

}  // namespace procession::pool
