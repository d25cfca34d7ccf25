#include "manager/local_server.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "channel/transport.hpp"
#include "manager/blocks.hpp"
#include "manager/caller.hpp"
#include "manager/objects.hpp"
#include "manager/wire.hpp"
#include "platform/signals.hpp"
#include "platform/spawn.hpp"
#include "process/record.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/exception.hpp"
#include "sync/naps.hpp"

namespace procession::manager {

namespace {

using namespace std::chrono_literals;
using detail::Incoming;
using detail::MessageDraft;
using detail::TransportPtr;

/// How many objects are looked at when one is made: so that there are never many more than are in
/// use, and that making one does not take longer the more there are.
constexpr std::size_t kLooksEach = 4;

/// A thread of a client process.
class Visitor final : public Caller {
 public:
  explicit Visitor(TransportPtr transport) : transport_(std::move(transport)) { enter(); }

  bool gone() override {
    // It sends nothing while it waits, so this is the end.
    return transport_->poll(platform::Deadline(Duration::zero()));
  }

 private:
  TransportPtr transport_;
};

void run_request(Objects& objects, Decoder& request, Encoder& reply) {
  encode(reply, Reply::result);
  switch (decode<Request>(request)) {
    case Request::call: {
      const detail::ServedPtr object = objects.find(decode<heap::Offset>(request));
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
      process::bury_orphans();
      objects.sweep_all();
      encode(reply, std::uint64_t{objects.size()});
      return;
  }
  throw DecodeError("found a request to a manager that is none; the bytes are damaged");
}

void answer(const TransportPtr& transport, Objects& objects, Decoder& request) {
  std::exception_ptr thrown;
  try {
    MessageDraft reply;
    run_request(objects, request, reply);
    detail::send_value(transport, reply, kReplyPrint, kReplyName);
    return;
  } catch (const CallerGone&) {
    throw;
  } catch (const BrokenPipe&) {
    if (transport->poll(platform::Deadline(Duration::zero()))) throw;
    thrown = std::current_exception();
  } catch (...) {
    thrown = std::current_exception();
  }
  MessageDraft reply;
  encode(reply, Reply::exception);
  encode_exception(reply, thrown);
  detail::send_value(transport, reply, kReplyPrint, kReplyName);
}

void attend(const TransportPtr& transport, const std::shared_ptr<Objects>& objects) {
  try {
    Visitor visitor(transport);
    MessageDraft greeting;
    encode(greeting, Reply::result);
    detail::send_value(transport, greeting, kReplyPrint, kReplyName);
    for (;;) {
      Incoming message;
      detail::receive_value(transport, message, kRequestPrint, kRequestName);
      Decoder request(message.bytes());
      answer(transport, *objects, request);
    }
  } catch (...) {
    // The client has gone, or there is no memory to tell it anything: it will see the end.
  }
  detail::close_connection(transport);
}

void admit(const TransportPtr& transport, const std::shared_ptr<Objects>& objects) {
  transport->close_in_forks();
  try {
    std::thread([transport, objects] { attend(transport, objects); }).detach();
  } catch (const std::exception& error) {
    MessageDraft refusal;
    encode(refusal, Reply::exception);
    encode_exception(refusal, std::make_exception_ptr(ProcessError(
                                  "the manager's server cannot attend to one more thread of a "
                                  "client: " +
                                  std::string(error.what()) + "; end some clients first")));
    detail::send_value(transport, refusal, kReplyPrint, kReplyName);
  }
}

}  // namespace

void serve_manager(heap::Offset manager) {
  auto& block = *heap::at<ManagerBlock>(manager);
  Decoder encoded({heap::at(block.door), block.door_size});
  const Door door = decode<Door>(encoded);
  if (block.on_thread == 0) {
    // Ctrl-C is for the process that owns the manager to answer.
    platform::ignore_interrupts();
  }
  const auto objects = std::make_shared<Objects>(manager);
  block.serial = process::record_at(heap::self()).serial;
  block.server = heap::self();
  std::vector<std::weak_ptr<detail::Transport>> visitors;
  sync::Naps naps(100ms);
  for (;;) {
    try {
      const TransportPtr transport = door.get(naps.next()).transport;
      std::erase_if(visitors, [](const auto& one) { return one.expired(); });
      visitors.push_back(transport);
      admit(transport, objects);
    } catch (const ShutDown&) {
      break;
    } catch (const Empty&) {
      process::bury_orphans();
      objects->sweep_all();
      continue;
    } catch (const ProcessError&) {
      // Who came was killed on the way.
    }
    naps = sync::Naps(100ms);
  }
  // Where the server is a thread, this is what tells its clients.
  for (const auto& one : visitors) {
    detail::close_connection(one.lock());
  }
}

}  // namespace procession::manager
