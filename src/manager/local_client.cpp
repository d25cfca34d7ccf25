#include "manager/local_client.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "channel/transport.hpp"
#include "manager/blocks.hpp"
#include "manager/load_meter.hpp"
#include "manager/thread_connections.hpp"
#include "manager/thrown_here.hpp"
#include "manager/wire.hpp"
#include "process/record.hpp"
#include "procession/detail/mixed_name.hpp"
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

/// Whether the server has been shut down, or has begun and its process has ended.
bool server_has_ended(const ManagerBlock& block) noexcept {
  if (block.ended != 0) return true;
  const heap::Offset server = block.server;
  return server != 0 && !process::lives(server, block.serial);
}

bool peer_has_ended(Peer manager) noexcept {
  return server_has_ended(*static_cast<const ManagerBlock*>(manager));
}

/// The server has closed a pipe. As a rule it has ended, which is known some moments later.
bool has_ended_meanwhile(const ManagerBlock& block) {
  const platform::Deadline deadline(500ms);
  while (!server_has_ended(block)) {
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// What its objects held is given back, though its owner has not joined it.
void reap_server(const ManagerBlock& manager) noexcept {
  if (manager.on_thread == 0 && manager.server != 0) process::reap_orphans();
}

[[noreturn]] void throw_server_gone(const ManagerBlock& manager) {
  reap_server(manager);
  throw BrokenPipe(std::string("asked to call an object of a manager whose server has ended: ") +
                   (manager.ending != 0 ? "its owner has called shutdown() or let go of the Manager"
                                        : "it was killed, or its owner has ended") +
                   "; its objects are lost, make a new Manager");
}

/// It lives, and could not do what it takes to answer.
[[noreturn]] void throw_server_short() {
  throw ProcessError(
      "asked to call an object of a manager, whose server lives but had no descriptors or memory "
      "left for this thread of a client, or for its reply; call again when others have ended, or "
      "raise the limits of the server's process ('ulimit -n')");
}

/// Whether the process that was to be the server's has ended before it began cannot be seen from
/// here: its owner shuts the accept queue then.
TransportPtr connect(std::byte* manager) {
  const ManagerBlock& block = block_of(manager);
  if (server_has_ended(block)) throw_server_gone(block);
  Decoder encoded({heap::at(block.accept_queue), block.accept_queue_size});
  const AcceptQueue accept_queue = decode<AcceptQueue>(encoded);
  auto [mine, its] = detail::make_pipe(true, false);
  try {
    accept_queue.put({its, own_liveness()});
  } catch (const ShutDown&) {
    throw_server_gone(block);
  }
  its->close();
  // Until it is taken in, what was put into the queue keeps the pipe open, whatever ends.
  while (!mine->poll(platform::Deadline(200ms))) {
    if (server_has_ended(block)) throw_server_gone(block);
  }
  detail::Incoming welcome;
  try {
    detail::receive_value(mine, welcome, kReplyPrint, kReplyName);
  } catch (const EndOfFile&) {
    if (!has_ended_meanwhile(block)) throw_server_short();
    throw_server_gone(block);
  }
  Decoder reply(welcome.bytes());
  if (decode<Reply>(reply) != Reply::result) throw_decoded(reply, origin_of(block));
  return mine;
}

/// A pipe to a server, and a hold on the manager's block as long as the pipe is there: so that no
/// other manager can have its place.
struct Link {
  Handle manager;
  TransportPtr pipe;
};

Handle handle_of(std::byte* manager) {
  return Handle::own(heap::hold(heap::offset_of(manager), heap::self()));
}

}  // namespace

TransportPtr pipe_to(std::byte* manager) {
  if (TransportPtr found = find_connection(manager)) return found;
  const auto link = std::make_shared<Link>(Link{handle_of(manager), nullptr});
  try {
    link->pipe = connect(manager);
  } catch (const BrokenPipe&) {
    drop_lost_connections();
    throw;
  }
  TransportPtr pipe(link, link->pipe.get());
  keep_connection(manager, pipe, peer_has_ended);
  return pipe;
}

void let_go_of_pipes(std::byte* manager) noexcept {
  block_of(manager).ended = 1;
  take_connections(manager);
}

}  // namespace procession::manager

namespace procession::detail {

using namespace manager;

namespace {

constexpr const char* kWhat = "an object of a manager";

/// Wakes who is to answer, and sees to it that `receive` waits as it should.
void await_reply(ManagerBlock& manager, Transport& pipe) {
  manager.leader.calls.wake_one();
  static thread_local ReplyWait reply_wait;
  if (LoadMeter::is_led(manager.load)) reply_wait.await(manager.leader, pipe);
  pipe.sleep_at_once(LoadMeter::is_dense(manager.load));
}

/// The server has ended, most likely for other threads, too.
void hang_up(Transport& pipe) noexcept {
  pipe.close();
  drop_lost_connections();
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
      builder_(pipe_) {
  procession::encode(builder_, Request::call);
  procession::encode(builder_, mix_offset(heap::offset_of(object.handle().address())));
}

LocalCall::LocalCall(const Handle& manager, Control what)
    : manager_(reinterpret_cast<std::byte*>(&manager.object<ManagerBlock>("a Manager"))),
      pipe_(pipe_to(manager_)),
      builder_(pipe_) {
  procession::encode(builder_, what == Control::make ? Request::make : Request::count);
}

Decoder& LocalCall::make() {
  try {
    send_value(pipe_, builder_, kRequestPrint, kRequestName);
    await_reply(block_of(manager_), *pipe_);
    receive_value(pipe_, reply_, kReplyPrint, kReplyName);
  } catch (const BrokenPipe&) {
    hang_up(*pipe_);
    throw_server_gone(block_of(manager_));
  } catch (const EndOfFile&) {
    hang_up(*pipe_);
    if (!has_ended_meanwhile(block_of(manager_))) throw_server_short();
    reap_server(block_of(manager_));
    throw EndOfFile(
        std::string("asked to call an object of a manager, and its server ended before it "
                    "replied: ") +
        (block_of(manager_).ending != 0
             ? "its owner has called shutdown() or let go of the Manager meanwhile, which waits "
               "for no call; let calls end before that"
             : "it was killed, by the call itself perhaps, or its owner has ended") +
        ". Whether the call was made is not known. Its objects are lost, make a new Manager");
  }
  result_.emplace(reply_.bytes());
  const Reply reply = procession::decode<Reply>(*result_);
  if (reply == Reply::exception_here) {
    const auto number = procession::decode<std::uint64_t>(*result_);
    if (block_of(manager_).server == heap::self()) {
      if (const std::exception_ptr thrown = take_thrown_here(number)) {
        std::rethrow_exception(thrown);
      }
    }
  }
  if (reply != Reply::result) {
    throw_decoded(*result_, origin_of(block_of(manager_)));
  }
  return *result_;
}

}  // namespace procession::detail
