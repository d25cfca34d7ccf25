#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channel/listener_support.hpp"
#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"
#include "platform/stream_socket.hpp"

namespace channel_test {

/// A peer that says whatever the test wants, right or wrong.
class RawPeer {
 public:
  explicit RawPeer(const mp::Address& address)
      : socket_(mp::platform::connect_stream(address, mp::platform::Deadline(std::nullopt))) {
    mp::platform::let_stream_block(socket_.get());
  }
  explicit RawPeer(mp::platform::Descriptor accepted) : socket_(std::move(accepted)) {
    mp::platform::let_stream_block(socket_.get());
  }

  /// False when the other side is gone.
  bool say(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool say(std::string_view text) { return say(std::as_bytes(std::span(text))); }

  bool say_frame(std::string_view text) {
    const std::size_t n = text.size();
    const char head[4] = {0, 0, static_cast<char>(n >> 8), static_cast<char>(n)};
    return say(std::string(head, 4) + std::string(text));
  }

  /// So many bytes, or fewer when the other side is gone.
  std::string hear(std::size_t size) {
    std::string heard(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = ::recv(socket_.get(), heard.data() + have, size - have, 0);
      if (got > 0) {
        have += static_cast<std::size_t>(got);
      } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        break;
      }
    }
    heard.resize(have);
    return heard;
  }

  std::string hear_frame() {
    const std::string head = hear(4);
    if (head.size() < 4) return "(end)";
    return hear(static_cast<unsigned char>(head[2]) * 256U + static_cast<unsigned char>(head[3]));
  }

  /// Waits until the other side has ended the connection.
  void hear_the_end() {
    while (!hear(1).empty()) {
    }
  }

  [[nodiscard]] int socket() const { return socket_.get(); }

 private:
  mp::platform::Descriptor socket_;
};

}  // namespace channel_test
