// Requests to a manager of another program. Corpus: corpus/request/, written by the test
// Requests.AreTheSeedsOfTheFuzzer.
#include "request_target.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  request_fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
