// What clients and servers of different programs say to each other, in the messages of wire.hpp,
// once both have proved the key.
//
//     welcome  as a reply: u64, bytes of the largest message that the server takes
//     request   u8 RemoteRequest, then
//               enter   16 bytes, the session; u64, bytes of the largest message that the client
//                       takes: the first request of each connection
//               others  u64[] references that the client has no more, then
//                 call    u64 reference, text method, mark of the arguments, mark of the result,
//                         arguments
//                 value   text name, mark of the arguments, mark of the result, arguments
//                 object  u64 new reference, text name, mark of the arguments, mark of the
//                         object's type, arguments
//                 count   nothing
//     mark      u64 fingerprint, text name of the type
//     reply     as in wire.hpp: enter: bool, whether the session begins with this connection; call
//               and value: the result; object: u64, the reference by which the session
//               got that object first; count: u64
//
// A *reference* is what a proxy and its copies have of an object. The client numbers those of its
// session and uses no number twice; the name of the session is random. So no reference ever means
// another object than the one that it was made for: a server that was started anew, or to which all
// connections were lost, has a session of that name without any. And a reference can be given back
// any number of times, also one of which the client does not know whether there ever was an object.
//
// Nothing in it names code, or places in memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "procession/codec.hpp"
#include "procession/detail/remote_call.hpp"

namespace procession::manager {

enum class RemoteRequest : std::uint8_t { enter = 1, call = 2, value = 3, object = 4, count = 5 };

using SessionId = std::array<std::uint64_t, 2>;

/// How many references a request may give back. Each proxy was made by a request, so what is to be
/// given back does not pile up.
inline constexpr std::size_t kMostGivenBack = 4096;

/// A TypeMark that has arrived.
struct SentMark {
  std::uint64_t fingerprint = 0;
  std::string name;
};

inline void encode_mark(Encoder& encoder, detail::TypeMark mark) {
  encode(encoder, mark.fingerprint);
  encode(encoder, mark.name);
}

}  // namespace procession::manager
