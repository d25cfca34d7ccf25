// The codec on any bytes. Corpus: corpus/codec_fuzz/, written by the test
// Corpus.IsWrittenOnRequest.
#include "codec_target.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  codec_fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
