// expect: be_sent<std::shared_ptr<int>
// expect: an object cannot be shared between processes by a pointer
#include <memory>
#include <procession/codec.hpp>

void send(procession::Encoder& encoder, const std::shared_ptr<int>& shared) {
  procession::encode(encoder, shared);
}
