// How a server of this tree sees that the thread lives which called it: by a mere look at memory,
// since to ask the kernel takes as long as half a call.
//
// Each thread that calls managers has a mark of its own in the shared heap, a robust mutex that it
// locks once and unlocks at its end. Its pipes tell the servers which one it is. However the thread
// ends, the kernel takes the mutex from it before anybody can learn of the death.
#pragma once

#include "procession/detail/handle.hpp"

namespace procession::manager {

/// That of the calling thread, made where it has none. Empty at the very end of a thread, when what
/// a thread has is being destroyed. Throws OutOfMemory.
detail::Handle own_liveness();

/// For who has been sent one. Throws DecodeError when there is none.
void encode_liveness(Encoder& encoder, const detail::Handle& mark);
detail::Handle decode_liveness(Decoder& decoder);

/// Whether the thread lives whose mark that is.
bool is_present(const detail::Handle& mark) noexcept;

}  // namespace procession::manager
