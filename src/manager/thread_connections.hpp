// The connections of this process's threads to servers: each thread has one of its own to each
// server that it calls.
//
// The process owns them and not the threads, for a thread cannot see that a server has ended which
// it never calls again. One goes when its thread ends; when whoever ends the server, or has no use
// for it any more, takes all there are to it; and otherwise, when its server has ended, by a look
// at some of them whenever one is made. None goes with the last proxy: a worker that is given a
// proxy with each of its tasks would connect for each of them anew, and lose the locks that it has.
#pragma once

#include <cstddef>
#include <list>

#include "procession/detail/connection_core.hpp"

namespace procession::manager {

/// Names a server in this process: an address that is nothing else's as long as there is a
/// connection to it.
using Peer = const void*;

/// One thread's connection to one server. It is taken out of use by letting go of it; a call that
/// is under way keeps it to its end.
struct ThreadConnection {
  detail::TransportPtr transport;
  Peer peer;
  bool (*ended)(Peer) noexcept;  ///< whether that server has ended
  const void* thread;            ///< whose it is
};

/// This thread's; null when it has none that is open.
detail::TransportPtr find_connection(Peer peer) noexcept;
/// This thread has that one from now on, unless it is ending. Lets go of some whose servers have
/// ended, so that there are never many of those, and that keeping one does not take longer the more
/// there are.
void keep_connection(Peer peer, detail::TransportPtr transport, bool (*ended)(Peer) noexcept);
/// Takes those of all threads to that server.
std::list<ThreadConnection> take_connections(Peer peer) noexcept;
/// Lets go of all that are closed or whose servers have ended.
void drop_lost_connections() noexcept;

}  // namespace procession::manager
