#include "manager/local_client.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "channel/transport.hpp"
#include "manager/blocks.hpp"
#include "manager/crowd.hpp"
#include "manager/wire.hpp"
#include "process/record.hpp"
#include "procession/detail/proxy_core.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::manager {

namespace {

using namespace std::chrono_literals;
using detail::Handle;
using detail::TransportPtr;

ManagerBlock& block_of(std::byte* manager) { return *reinterpret_cast<ManagerBlock*>(manager); }

RemoteOrigin origin_of(const ManagerBlock& block) {
  const heap::Offset server = block.server;
  const int pid = server != 0 ? process::record_at(server).pid() : 0;
  return {RemoteOrigin::kNoTask, block.on_thread != 0 ? 0 : pid};
}

/// Whether the server has begun and its process has ended.
bool server_has_ended(const ManagerBlock& block) {
  const heap::Offset server = block.server;
  return server != 0 && (process::record_at(server).serial != block.serial || !heap::alive(server));
}

/// Whether the process that was to be the server's has ended before it began cannot be seen from
/// here: its owner shuts the door then.
TransportPtr knock(std::byte* manager) {
  const ManagerBlock& block = block_of(manager);
  Decoder encoded({heap::at(block.door), block.door_size});
  const Door door = decode<Door>(encoded);
  auto [mine, its] = detail::make_pipe(true);
  mine->close_in_forks();
  its->close_in_forks();
  if (server_has_ended(block)) throw_server_gone();
  try {
    door.put({its});
  } catch (const ShutDown&) {
    throw_server_gone();
  }
  its->close();
  // Until it is taken in, what was put into the queue keeps the pipe open, whatever ends.
  while (!mine->poll(platform::Deadline(200ms))) {
    if (server_has_ended(block)) throw_server_gone();
  }
  detail::Incoming greeting;
  try {
    detail::receive_value(mine, greeting, kReplyPrint, kReplyName);
  } catch (const EndOfFile&) {
    throw_server_gone();
  }
  Decoder reply(greeting.bytes());
  if (decode<Reply>(reply) != Reply::result) throw_decoded(reply, origin_of(block));
  return mine;
}

/// The pipes of this thread, to as many managers as it uses.
struct Pipes {
  struct Pipe {
    std::byte* manager;
    Handle kept;  ///< so that no other manager can have its place
    TransportPtr transport;
  };
  std::vector<Pipe> all;
};

Pipes& pipes() {
  static thread_local Pipes own;
  return own;
}

Handle handle_of(std::byte* manager) {
  return Handle::own(heap::hold(heap::offset_of(manager), heap::self()));
}

}  // namespace

void throw_server_gone() {
  throw BrokenPipe(
      "asked to call an object of a manager whose server has ended: it was shut down, its owner "
      "has ended, or it was killed; its objects are lost, make a new Manager");
}

const TransportPtr& pipe_to(std::byte* manager) {
  auto& all = pipes().all;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.manager == manager; });
  if (found != all.end() && !found->transport->closed()) return found->transport;
  if (found != all.end()) all.erase(found);
  Handle kept = handle_of(manager);
  TransportPtr transport = knock(manager);
  all.push_back({manager, std::move(kept), std::move(transport)});
  return all.back().transport;
}

}  // namespace procession::manager

namespace procession::detail {

using namespace manager;

namespace {

constexpr const char* kWhat = "an object of a manager";

/// Wakes who is to answer, and sees to it that `receive` waits as it should.
void await_reply(ManagerBlock& manager, Transport& pipe) {
  manager.lead.calls.wake_one();
  static thread_local Turns turns;
  if (Crowd::is_led(manager.crowd)) turns.await(manager.lead, pipe);
  pipe.sleep_at_once(Crowd::is_dense(manager.crowd));
}

}  // namespace

void ProxyCore::encode(Encoder& encoder) const {
  if (remote_ != nullptr) {
    throw ProcessError(
        "asked to send a proxy of an object that another program has; it belongs to the connection "
        "that it came from: let the receiver call Manager::connect() and get one of its own");
  }
  handle_.encode(encoder, kWhat);
}

ProxyCore ProxyCore::decode(Decoder& decoder, std::uint64_t fingerprint) {
  return ProxyCore(Handle::decode(decoder, {kObjectKind, fingerprint}, kWhat));
}

ProxyCore made_object(Decoder& reply, std::uint64_t fingerprint) {
  ProxyCore made = ProxyCore::decode(reply, fingerprint);
  reply.expect_end();
  return made;
}

LocalCall::LocalCall(const ProxyCore& object)
    : manager_(heap::at(object.handle().object<ObjectBlock>(kWhat).manager)),
      pipe_(pipe_to(manager_)),
      draft_(pipe_) {
  procession::encode(draft_, Request::call);
  procession::encode(draft_, heap::offset_of(object.handle().address()));
}

LocalCall::LocalCall(const Handle& manager, Control what)
    : manager_(reinterpret_cast<std::byte*>(&manager.object<ManagerBlock>("a Manager"))),
      pipe_(pipe_to(manager_)),
      draft_(pipe_) {
  procession::encode(draft_, what == Control::make ? Request::make : Request::count);
}

Decoder& LocalCall::make() {
  try {
    send_value(pipe_, draft_, kRequestPrint, kRequestName);
    await_reply(block_of(manager_), *pipe_);
    receive_value(pipe_, reply_, kReplyPrint, kReplyName);
  } catch (const BrokenPipe&) {
    pipe_->close();
    throw_server_gone();
  } catch (const EndOfFile&) {
    pipe_->close();
    throw EndOfFile(
        "asked to call an object of a manager, and its server ended before it replied: it was shut "
        "down, its owner has ended, or it was killed, by the call itself perhaps; its objects are "
        "lost, make a new Manager");
  }
  result_.emplace(reply_.bytes());
  if (procession::decode<Reply>(*result_) == Reply::exception) {
    throw_decoded(*result_, origin_of(block_of(manager_)));
  }
  return *result_;
}

}  // namespace procession::detail
