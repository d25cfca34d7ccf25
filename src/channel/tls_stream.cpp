#include "channel/tls_stream.hpp"

#include "platform/wait.hpp"

namespace procession::channel {

using platform::Deadline;
using platform::Moved;

namespace {

template <class Act>
Moved within_nap(int socket, const TlsPtr& tls, Act act) {
  Progress progress = act();
  if (tls != nullptr && progress.moved.flow == platform::Flow::none &&
      wait_for(socket, progress.waits_for, Deadline(platform::kStreamNap))) {
    progress = act();
  }
  return progress.moved;
}

/// What did not move within a nap may have nobody to move to.
Moved unless_silent(int socket, Moved moved) {
  if (moved.flow == platform::Flow::none && platform::host_is_silent(socket)) {
    return {platform::Flow::lost, 0, "its host does not answer any more"};
  }
  return moved;
}

}  // namespace

bool wait_for(int socket, platform::Poller::For what, const Deadline& deadline) {
  return what == platform::Poller::For::reading ? platform::wait_readable(socket, deadline)
                                                : platform::wait_writable(socket, deadline);
}

Moved receive_some(int socket, const TlsPtr& tls, std::span<std::byte> room) {
  return unless_silent(socket,
                       within_nap(socket, tls, [&] { return receive_now(socket, tls, room); }));
}

Moved send_some(int socket, const TlsPtr& tls, std::span<const std::byte> first,
                std::span<const std::byte> second) {
  return unless_silent(
      socket, within_nap(socket, tls, [&] { return send_now(socket, tls, first, second); }));
}

}  // namespace procession::channel
