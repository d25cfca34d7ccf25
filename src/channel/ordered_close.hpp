// The end of a stream socket, after which the other side has all that was sent to it.
//
// To close a socket is not enough. Where something that the other side has sent was not read, or
// comes later, the kernel answers it with a reset, and with the reset goes what it had not yet
// delivered. So first the sending side alone is ended. Then what still comes is dropped until the
// other side's host has said that it has everything, or has ended the connection too.
#pragma once

#include <functional>
#include <vector>

#include "channel/socket_share.hpp"
#include "channel/tls_stream.hpp"
#include "platform/descriptor.hpp"

namespace procession::channel {

/// Ends the connection in order and closes the socket. Does not wait: where the other side's host
/// has not said yet that it has everything, a thread of the library's waits for that, for ten
/// seconds at most and for 64 sockets at a time. Thread-safe. A process that another one has the
/// socket from, or shares it with, must not call this for it: the end is that of all.
void close_in_order(platform::Descriptor socket, TlsPtr tls = nullptr) noexcept;

/// An open connection of a process that ends.
struct Unclosed {
  platform::Descriptor socket;
  SocketShare::Part part;  ///< whoever leaves it last ends the connection
};

/// Before this process ends: waits until the other sides have everything, of connections that were
/// closed and of those that are still open; for a second at most. From now on `close_in_order`
/// waits as long. Does nothing in a copy of the process that its fork handlers do not know of.
void finish_connections() noexcept;

/// How the thread is started. Without it, it is one like any other of the program.
void set_closing_thread(void (*start)(std::function<void()> run));

}  // namespace procession::channel
