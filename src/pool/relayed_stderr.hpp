#pragma once

#include <optional>

#include "platform/pipe.hpp"
#include "pool/layout.hpp"

namespace procession::pool {

/// The standard error of a worker, whose owner passes it on (stderr_relay.hpp). Belongs to the
/// worker.
class RelayedStderr {
 public:
  RelayedStderr(const Shared& shared, const WorkerSlot& worker_slot);

  /// What was written there through the streams of C and C++ is out when this returns, unless that
  /// takes longer than a second or two, as where nobody reads the owner's. Next to nothing
  /// where nothing was.
  void settle() noexcept;

 private:
  void wait() const noexcept;

  const WorkerSlot& worker_slot_;
  std::optional<platform::PipeName> pipe_;  ///< empty: it is not passed on
};

}  // namespace procession::pool
