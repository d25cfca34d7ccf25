// Pipes: another process of this program answers, or sends.

#include <vector>

#include "ours.hpp"

namespace mp = procession;

namespace {

void answer(const mp::Connection& connection) {
  for (;;)
    connection.send(connection.recv<std::uint64_t>());
}

void there_and_back(std::size_t times) {
  static const auto ends = mp::Pipe();
  static const mp::Process other = helper(answer, ends.second);
  for (std::uint64_t i = 0; i < times; ++i) {
    ends.first.send(i);
    check(ends.first.recv<std::uint64_t>() == i);
  }
}

void send_large(const mp::Connection& connection, std::size_t bytes) {
  const std::vector<std::byte> message(bytes, std::byte{1});
  for (;;) {
    const auto times = connection.recv<std::size_t>();
    for (std::size_t i = 0; i < times; ++i)
      connection.send_bytes(message);
  }
}

contestant::Operation large(std::size_t bytes) {
  return [bytes](std::size_t times) {
    static const auto ends = mp::Pipe();
    static const mp::Process sender = helper(send_large, ends.second, bytes);
    ends.first.send(times);
    for (std::size_t i = 0; i < times; ++i)
      check(ends.first.recv_bytes().size() == bytes);
  };
}

}  // namespace

Operations pipe_operations() {
  return {{"pipe", there_and_back},
          {"pipe-1M", large(std::size_t{1} << 20)},
          {"pipe-16M", large(std::size_t{16} << 20)}};
}
