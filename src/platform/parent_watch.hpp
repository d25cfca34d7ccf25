#pragma once

#include "platform/descriptor.hpp"

namespace procession::platform {

/// How a process notices its parent's end, SIGKILL included, with no thread of its own: the parent
/// keeps the only writing end of a pipe and never writes; when it ends, however it does, the kernel
/// closes that end and signals those who armed the reading end. (`PR_SET_PDEATHSIG` follows the
/// parent's *thread*, not the process.)
struct ParentWatch {
  Descriptor held;     ///< the parent's: never given to anyone
  Descriptor watched;  ///< the children's
};

ParentWatch make_parent_watch();

/// The same end, opened anew: whom to signal is a property of the open file, which all heirs of a
/// descriptor share. The first time that a process does this costs it some microseconds, for the
/// folders of /proc that come and go with it.
Descriptor open_own(int watched);

/// From now on SIGKILL ends this process, or with `group` the whole process group that it leads,
/// when the holder of the other end has gone; at once if it has gone already. `own` was opened for
/// this process alone and must stay open for it. The programs that a group's leader executes
/// inherit it: so those that outlive their leader, because that was killed at the same moment as
/// the holder, or before the holder could see to it, are still ended by the kernel.
void die_with(const Descriptor& own, bool group);

}  // namespace procession::platform
