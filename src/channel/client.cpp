#include <string>

#include "channel/greeting.hpp"
#include "platform/stream_socket.hpp"
#include "platform/wait.hpp"
#include "procession/detail/listener_core.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using channel::Greeting;

TransportPtr connect_to(const Address& address, const ClientOptions& options) {
  channel::check_key(options.authkey);
  const platform::Deadline deadline(options.timeout);
  Greeting greeting(platform::connect_stream(address, deadline), Greeting::Side::client,
                    options.authkey, options.allow_md5);
  while (const auto wanted = greeting.go_on()) {
    const bool ready = *wanted == Greeting::For::reading
                           ? platform::wait_readable(greeting.socket(), deadline)
                           : platform::wait_writable(greeting.socket(), deadline);
    if (!ready) {
      throw TimeoutError("asked to connect to " + to_string(address) +
                         ", whose listener had not finished the proof of the key when the time-out "
                         "passed; is its program in accept(), and has it an authkey?");
    }
  }
  return greeting.finish(options.max_frame);
}

}  // namespace procession::detail
