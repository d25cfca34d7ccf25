#include "manager/local_server.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "channel/transport.hpp"
#include "manager/blocks.hpp"
#include "manager/followers.hpp"
#include "manager/load_meter.hpp"
#include "manager/objects.hpp"
#include "manager/session.hpp"
#include "manager/wire.hpp"
#include "platform/backoff.hpp"
#include "platform/signals.hpp"
#include "platform/streams.hpp"
#include "process/record.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/detail/mixed_name.hpp"
#include "procession/error.hpp"

namespace procession::manager {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// How many objects are looked at when one is made: so that there are never many more than are in
/// use, and that making one does not take longer the more there are.
constexpr std::size_t kLooksEach = 4;

/// How long a request may take for the next one to be left to a leader: to wake another thread for
/// it takes about as long.
constexpr std::chrono::nanoseconds kQuick = 20us;

void run_request(Objects& objects, Decoder& request, Encoder& reply) {
  switch (decode<Request>(request)) {
    case Request::call: {
      const detail::ServedPtr object =
          objects.find(detail::unmix_offset(decode<heap::Offset>(request)));
      detail::decode_entry<detail::ServedCall>(request)(*object, request, reply);
      return;
    }
    case Request::make: {
      objects.sweep(kLooksEach);
      detail::ServedPtr object = detail::decode_entry<detail::ServedMake>(request)(request);
      objects.add(std::move(object)).encode(reply, "an object of a manager");
      return;
    }
    case Request::count:
      process::reap_orphans();
      objects.sweep_all();
      encode(reply, std::uint64_t{objects.size()});
      return;
  }
  throw DecodeError("found a request to a manager that is none; the bytes are damaged");
}

}  // namespace

void serve_manager(heap::Offset manager) {
  auto& block = *heap::at<ManagerBlock>(manager);
  Decoder encoded({heap::at(block.accept_queue), block.accept_queue_size});
  const AcceptQueue accept_queue = decode<AcceptQueue>(encoded);
  const bool own_streams = block.on_thread == 0;
  if (own_streams) {
    // Ctrl-C is for the process that owns the manager to answer.
    platform::ignore_interrupts();
  }
  const auto objects = std::make_shared<Objects>(manager);
  const auto meter = std::make_shared<LoadMeter>(block.load);
  const auto followers = std::make_shared<Followers>(
      detail::Handle::own(heap::hold(manager, heap::self())), block.leader);
  block.serial = process::record_at(heap::self()).serial;
  block.server = heap::self();
  std::vector<std::weak_ptr<Session>> sessions;
  platform::Backoff backoff(100ms);
  for (;;) {
    try {
      ConnectRequest client = accept_queue.get(backoff.next());
      std::erase_if(sessions, [](const auto& one) { return one.expired(); });
      detail::Transport* const pipe = client.transport.get();  // which the session keeps
      const auto answer = [objects, meter, pipe, manager, last = LoadMeter::Epoch{0}](
                              Decoder& request, Encoder& reply) mutable {
        const Clock::time_point begin = Clock::now();
        meter->note(last, begin);
        const auto& size = heap::at<ManagerBlock>(manager)->load;
        pipe->sleep_at_once(LoadMeter::is_dense(size));
        run_request(*objects, request, reply);
        return LoadMeter::is_led(size) && Clock::now() - begin < kQuick ? Next::follow : Next::wait;
      };
      std::weak_ptr<Session>& session = sessions.emplace_back();
      session = attend({std::move(client.transport), std::move(client.liveness), answer, &block,
                        own_streams, block.on_thread != 0},
                       followers);
    } catch (const ShutDown&) {
      break;
    } catch (const Empty&) {
      process::reap_orphans();
      objects->sweep_all();
      if (own_streams) platform::flush_streams();  // destructors print, too
      continue;
    } catch (const std::exception&) {
      // Who came was killed on the way; or there is no memory or descriptor for it, and it sees the
      // end of its pipe.
    }
    backoff = platform::Backoff(100ms);
  }
  // Where the server is a thread, this is what tells its clients.
  for (const auto& one : sessions) {
    if (const SessionPtr session = one.lock()) session->end();
  }
}

}  // namespace procession::manager
