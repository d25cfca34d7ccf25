// The end of blocks: what happens after the last hold on one was dropped.
//
// A block that held others becomes a zombie, on a list in the heap. Zombies drop what they held one
// by one, each in a transaction of its own; whoever comes by goes on with it, so it does not matter
// who is killed meanwhile.
#pragma once

#include "heap/holds.hpp"
#include "heap/layout.hpp"
#include "heap/mapping.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {

/// Does the part of an aftermath that needs the mutex, under it. Returns what there is to `wash`.
[[nodiscard]] Ticket settle(Header& heap, Aftermath aftermath) noexcept;

/// One transaction, under the mutex: drops one hold of a zombie, or gives one back. There must be
/// one. Returns what there is to `wash`.
[[nodiscard]] Ticket bury(Header& heap) noexcept;

/// Lets the memory of a block go back to the system, then the block. Takes the mutex, but not for
/// the part that takes long.
void wash(Header& heap, Ticket ticket) noexcept;

/// Gives back zombies until there are none. Takes the mutex, and lets others have it now and then.
void bury_all(Header& heap) noexcept;

/// One transaction in which holds are dropped, under the mutex: `step(change)` says what is done in
/// it and returns the aftermath. Then what that leaves to be done without the mutex.
template <class Step>
void drop_by(Header& heap, const Step& step) noexcept {
  Ticket dirty = 0;
  bool zombies = false;
  {
    const Guard guard(heap);
    Transaction change(heap);
    const Aftermath aftermath = step(change);
    change.commit();
    dirty = settle(heap, aftermath);
    zombies = load(heap.zombies) != 0;
  }
  if (dirty != 0) wash(heap, dirty);
  if (zombies) bury_all(heap);
}

}  // namespace procession::heap
