// The proof of the key on any bytes. Corpus: corpus/handshake/.
#include "handshake_target.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  handshake_fuzz::attack(std::as_bytes(std::span(data, size)));
  return 0;
}
