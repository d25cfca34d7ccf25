// The reader of frames on any bytes. Corpus: corpus/frame/.
#include "frame_target.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  frame_fuzz::attack(std::as_bytes(std::span(data, size)));
  return 0;
}
