// Connections over TCP: another process of this program answers, or sends.

#include <vector>

#include "ours.hpp"

namespace mp = procession;

namespace {

void answer(const mp::Address& address) {
  const mp::Connection connection = mp::Client(address);
  try {
    for (;;)
      connection.send_bytes(connection.recv_bytes());
  } catch (const mp::EndOfFile&) {
  }
}

void there_and_back(std::size_t times) {
  static mp::Listener listener;
  static const mp::Process other = helper(answer, listener.address());
  static const mp::Connection connection = listener.accept();
  for (std::uint64_t i = 0; i < times; ++i) {
    connection.send_bytes(std::as_bytes(std::span(&i, 1)));
    std::uint64_t item = 0;
    check(connection.recv_bytes_into(std::as_writable_bytes(std::span(&item, 1))) == sizeof item);
    check(item == i);
  }
}

void send_large(const mp::Address& address, std::size_t bytes) {
  const mp::Connection connection = mp::Client(address);
  const std::vector<std::byte> message(bytes, std::byte{1});
  try {
    for (;;) {
      std::uint64_t times = 0;
      connection.recv_bytes_into(std::as_writable_bytes(std::span(&times, 1)));
      for (std::size_t i = 0; i < times; ++i)
        connection.send_bytes(message);
    }
  } catch (const mp::EndOfFile&) {
  }
}

void large(std::size_t times) {
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  static mp::Listener listener;
  static const mp::Process sender = helper(send_large, listener.address(), kBytes);
  static const mp::Connection connection = listener.accept();
  const std::uint64_t order = times;
  connection.send_bytes(std::as_bytes(std::span(&order, 1)));
  for (std::size_t i = 0; i < times; ++i)
    check(connection.recv_bytes().size() == kBytes);
}

}  // namespace

Operations network_operations() { return {{"tcp", there_and_back}, {"tcp-1M", large}}; }
