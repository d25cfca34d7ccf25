// expect: be_sent<procession::part_of<std::mutex, std::unique_ptr<std::mutex
// expect: use procession::Lock or RLock
#include <memory>
#include <mutex>
#include <procession/codec.hpp>

void send(procession::Encoder& encoder, const std::unique_ptr<std::mutex>& mutex) {
  procession::encode(encoder, mutex);
}
