#pragma once

#include <functional>

#include "procession/codec.hpp"
#include "procession/detail/connection_core.hpp"

namespace procession::manager {

/// Does what a request asks for and writes the result. What it throws, the client is thrown.
using Answer = std::function<void(Decoder& request, Encoder& reply)>;

/// Greets a client and answers its requests, in a thread of its own, until it has gone; or tells it
/// that there can be no such thread.
void attend(const detail::TransportPtr& transport, Answer answer);

}  // namespace procession::manager
