#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "channel/handshake.hpp"
#include "platform/stream_socket.hpp"
#include "procession/detail/listener_core.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using channel::Handshake;

namespace {

std::string host_of(const Address& address) {
  return address.host.empty() ? "127.0.0.1" : address.host;
}

}  // namespace

TransportPtr connect_to(const Address& address, const ClientOptions& options) {
  channel::check_key(options.authkey);
  const platform::Deadline deadline(options.timeout);
  std::optional<platform::TlsContext> context;
  if (options.tls) context.emplace(platform::TlsContext::Side::client, *options.tls);
  platform::Descriptor socket = platform::connect_stream(address, deadline);
  channel::TlsPtr tls;
  if (context) {
    const std::string& name = options.tls->server_name;
    tls = context->open(socket.get(), name.empty() ? host_of(address) : name);
  }
  Handshake handshake(std::move(socket), std::move(tls), Handshake::Side::client, options.authkey,
                      options.allow_md5);
  while (const auto wanted = handshake.go_on()) {
    if (!channel::wait_for(handshake.socket(), *wanted, deadline)) {
      throw TimeoutError(
          "asked to connect to " + to_string(address) +
          ", whose listener had not finished the proof of the key when the time-out "
          "passed; is its program in accept(), has it an authkey, and does it use TLS where this "
          "side does not?");
    }
  }
  return handshake.finish(options.max_frame);
}

}  // namespace procession::detail
