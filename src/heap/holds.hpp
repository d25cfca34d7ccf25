// Who holds what. Everything here is called under the heap's mutex.
#pragma once

#include "heap/layout.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

/// What is left to do after the transaction in which a hold was dropped; at most one of the two.
struct PendingWork {
  /// A hold of this process on a block that nobody else holds any more, and whose memory is to go
  /// back to the system, without the mutex, before the block does. 0: there is none.
  HoldId decommit = 0;
  /// A free block whose memory is to go back to the system before the mutex is unlocked. 0: none.
  Offset punch = 0;
};

/// Whether `owner` can own holds now.
bool can_own(Header& heap, Offset owner) noexcept;

/// Makes `block`, which is on no list and in no use, a used one with one hold, of `owner`.
HoldId make_used(Transaction& change, Offset block, std::uint64_t units, bool sparse,
                 Offset owner) noexcept;

/// Makes the record in `hold_id` a hold on `target`. Does not count it. `live`: the record was in
/// use before this transaction, or it lies in the header of a block that was.
void attach(Transaction& change, HoldId hold_id, Offset target, Offset owner, bool live) noexcept;

/// Takes a hold off its owner's list.
void detach(Transaction& change, HoldId hold_id) noexcept;

/// Gives a hold back. `decommitted`: the memory of its target has gone back already.
[[nodiscard]] PendingWork drop_hold(Transaction& change, HoldId hold_id, bool decommitted) noexcept;

/// Ends a block that nobody holds, that holds nothing, and that is on no list.
[[nodiscard]] PendingWork give_back(Transaction& change, Offset block, bool decommitted) noexcept;

}  // namespace procession::heap
