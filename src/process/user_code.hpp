#pragma once

#include "platform/copy_check.hpp"
#include "platform/streams.hpp"

namespace procession::process {

/// To be called when code of the user's has ended that this process ran for another one, whether it
/// has returned or thrown, and before the other one hears of that. A copy of this process that came
/// out of it ends; and what it has printed is out, since who has the result may end this process.
/// `own_streams` is false where the code ran in a thread of the program that asked for it: its
/// streams outlive the thread. `what` names the code in the message of a copy.
inline void leave_user_code(const platform::CopyCheck& check, const char* what,
                            bool own_streams) noexcept {
  check.end_copies(what);
  if (own_streams) platform::flush_streams();
}

}  // namespace procession::process
