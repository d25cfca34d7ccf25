#include "procession/timeout.hpp"

#include <stdexcept>

#include "procession/codec.hpp"

namespace procession {

void Timeout::refuse_no_number() {
  throw std::invalid_argument(
      "a time-out that is not a number was asked for; give a length of time, zero to poll, or an "
      "empty Timeout to wait for ever");
}

void encode(Encoder& encoder, const Timeout& timeout) {
  codec_functions::encode(encoder, timeout.time_);
}

// Through a constructor: the bytes may be those of a negative one.
void decode(Decoder& decoder, Timeout& timeout) {
  timeout = codec_functions::decode<std::optional<Duration>>(decoder);
}

}  // namespace procession
