// What clients and servers of one process tree say to each other through a pipe of their own.
//
// A client puts one end of a new pipe into the server's accept queue, and gets a
// welcome when a thread of the server's attends to it. Then each request is followed by its reply.
//
//     request   u8 Request, then
//               call    u64 offset of the object's block, record of a ServedCall, arguments
//               make    record of a ServedMake, arguments
//               count   nothing
//     reply     u8 Reply, then the result (made: the handle; count: u64) or the exception; before
//     an
//               exception that is there as it was thrown, u64 its number (thrown_here.hpp)
#pragma once

#include <cstdint>
#include <string_view>

#include "manager/client_liveness.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/detail/fingerprint.hpp"
#include "procession/queue.hpp"

namespace procession::manager {

enum class Request : std::uint8_t { call = 1, make = 2, count = 3 };
enum class Reply : std::uint8_t { result = 1, exception = 2, exception_here = 3 };

inline constexpr std::string_view kRequestName = "a request to a manager";
inline constexpr std::string_view kReplyName = "a reply of a manager";
inline constexpr std::uint64_t kRequestPrint = detail::Fingerprint::of(kRequestName, 0);
inline constexpr std::uint64_t kReplyPrint = detail::Fingerprint::of(kReplyName, 0);

/// Who comes to the accept queue: an end of a new pipe, and what tells whether the thread lives
/// that has the other one.
struct ConnectRequest {
  detail::TransportPtr transport;
  detail::Handle liveness = {};

  friend void encode(Encoder& encoder, const ConnectRequest& request) {
    detail::encode_connection(encoder, request.transport);
    encode_liveness(encoder, request.liveness);
  }
  friend void decode(Decoder& decoder, ConnectRequest& request) {
    request.transport = detail::decode_connection(decoder);
    request.liveness = decode_liveness(decoder);
  }
};
using AcceptQueue = Queue<ConnectRequest>;

}  // namespace procession::manager
