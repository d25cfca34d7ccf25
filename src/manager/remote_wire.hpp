// What clients and servers of different programs say to each other, in the messages of wire.hpp,
// once both have proved the key.
//
//     request   u8 RemoteRequest, then
//               enter   16 bytes, the session; the first request of each connection
//               others  u64[] objects that the client has no more, then
//                 call    u64 object, text method, mark of the arguments, mark of the result,
//                         arguments
//                 value   text name, mark of the arguments, mark of the result, arguments
//                 object  text name, mark of the arguments, mark of the object's type, arguments
//                 count   nothing
//     mark      u64 fingerprint, text name of the type
//     reply     as in wire.hpp: call and value: the result; object: u64 number; count: u64
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
