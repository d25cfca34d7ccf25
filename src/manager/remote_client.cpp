#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "channel/transport.hpp"
#include "manager/remote_wire.hpp"
#include "manager/thread_connections.hpp"
#include "manager/wire.hpp"
#include "platform/random.hpp"
#include "platform/stream_socket.hpp"
#include "procession/detail/listener_core.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::detail {

using namespace manager;

/// One session: each thread has a connection of its own, so that its calls do not wait for those of
/// others; one more is kept as long as the session lasts.
class RemoteClient {
 public:
  RemoteClient(Address address, ClientOptions options)
      : address_(std::move(address)), options_(std::move(options)) {
    platform::fill_random(std::as_writable_bytes(std::span(session_)));
    kept_ = connect();
  }
  RemoteClient(const RemoteClient&) = delete;
  RemoteClient& operator=(const RemoteClient&) = delete;
  ~RemoteClient() { disconnect(); }

  [[nodiscard]] const Address& address() const noexcept { return address_; }
  TransportPtr connection();
  void disconnect() noexcept {
    kept_->close();
    for (const ThreadConnection& one : take_connections(this))
      one.transport->close();
  }

  void gone(std::uint64_t object) noexcept {
    try {
      const std::lock_guard guard(mutex_);
      gone_.push_back(object);
    } catch (const std::bad_alloc&) {
      // Then the server keeps it until the end of the session.
    }
  }
  std::vector<std::uint64_t> take_gone() {
    const std::lock_guard guard(mutex_);
    return std::exchange(gone_, {});
  }

 private:
  TransportPtr connect() const;

  const Address address_;
  const ClientOptions options_;
  SessionId session_{};
  TransportPtr kept_;
  std::mutex mutex_;
  std::vector<std::uint64_t> gone_;
};

class RemoteRef {
 public:
  RemoteRef(RemoteClientPtr client, std::uint64_t number)
      : client_(std::move(client)), number_(number) {}
  RemoteRef(const RemoteRef&) = delete;
  RemoteRef& operator=(const RemoteRef&) = delete;
  ~RemoteRef() { client_->gone(number_); }

  [[nodiscard]] const RemoteClientPtr& client() const noexcept { return client_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 private:
  RemoteClientPtr client_;
  std::uint64_t number_;
};

namespace {

[[noreturn]] void throw_lost(const Address& address) {
  throw EndOfFile("asked to call an object of the manager at " + to_string(address) +
                  ", and the connection ended before the reply: the server has ended, or the "
                  "network between; whether the call was made is not known. Connect anew");
}

Decoder& read_reply(std::optional<Decoder>& decoder, const Incoming& reply) {
  decoder.emplace(reply.bytes());
  decoder->set_abroad();
  if (procession::decode<Reply>(*decoder) == Reply::exception) throw_decoded(*decoder, {});
  return *decoder;
}

}  // namespace

TransportPtr RemoteClient::connect() const {
  TransportPtr transport = connect_to(address_, options_);
  transport->close_in_forks();
  platform::expect_prompt_peer(Transport::Use(*transport).descriptor());
  MessageDraft draft(transport);
  procession::encode(draft, RemoteRequest::enter);
  procession::encode(draft, session_);
  try {
    std::optional<Decoder> decoder;
    Incoming greeting;
    receive_value(transport, greeting, kReplyPrint, kReplyName);
    read_reply(decoder, greeting);
    send_value(transport, draft, kRequestPrint, kRequestName);
    Incoming reply;
    receive_value(transport, reply, kReplyPrint, kReplyName);
    read_reply(decoder, reply);
  } catch (const TypeMismatch&) {
    throw ProcessError("asked to connect to a manager at " + to_string(address_) +
                       ", where something else listens: what it sends is no reply of one");
  } catch (const EndOfFile&) {
    throw_lost(address_);
  }
  return transport;
}

TransportPtr RemoteClient::connection() {
  if (kept_->closed()) {
    throw ProcessError("asked to call an object of the manager at " + to_string(address_) +
                       " after its shutdown(), or in the child of a fork, which shares no "
                       "connections; call Manager::connect() anew, and get a new proxy");
  }
  if (TransportPtr found = find_connection(this)) return found;
  TransportPtr made = connect();
  // Whether the server has ended is known when a call fails.
  keep_connection(this, made, [](Peer) noexcept { return false; });
  return made;
}

RemoteClientPtr connect_manager(const Address& address, const AuthKey& key, ClientOptions options) {
  options.authkey = key;
  return std::make_shared<RemoteClient>(address, std::move(options));
}

bool same_object(const RemoteRefPtr& a, const RemoteRefPtr& b) noexcept {
  if (a == nullptr || b == nullptr) return a == b;
  return a->client() == b->client() && a->number() == b->number();
}

Address remote_address(const RemoteClientPtr& client) { return client->address(); }
void disconnect_manager(const RemoteClientPtr& client) noexcept { client->disconnect(); }

RemoteCall::RemoteCall(RemoteClientPtr client)
    : client_(std::move(client)), connection_(client_->connection()), draft_(connection_) {}

RemoteCall::RemoteCall(const RemoteRefPtr& object, const char* name, TypeMark arguments,
                       TypeMark result)
    : RemoteCall(object->client()) {
  if (name == nullptr) {
    throw ProcessError(
        "asked to call a method of an object that another program has by its place in this one; no "
        "code address ever crosses a network: call it by the name that the server registered, as "
        "in call<int>(\"add\", 3)");
  }
  procession::encode(draft_, RemoteRequest::call);
  procession::encode(draft_, client_->take_gone());
  procession::encode(draft_, object->number());
  procession::encode(draft_, std::string_view(name));
  encode_mark(draft_, arguments);
  encode_mark(draft_, result);
}

RemoteCall::RemoteCall(const RemoteClientPtr& client, std::string_view name, TypeMark arguments,
                       TypeMark value)
    : RemoteCall(client) {
  procession::encode(draft_, RemoteRequest::value);
  procession::encode(draft_, client_->take_gone());
  procession::encode(draft_, name);
  encode_mark(draft_, arguments);
  encode_mark(draft_, value);
}

RemoteCall::RemoteCall(const RemoteClientPtr& client, std::string_view name, TypeMark arguments,
                       Object object)
    : RemoteCall(client) {
  procession::encode(draft_, RemoteRequest::object);
  procession::encode(draft_, client_->take_gone());
  procession::encode(draft_, name);
  encode_mark(draft_, arguments);
  encode_mark(draft_, {object.fingerprint, object.type});
}

std::size_t count_remote(const RemoteClientPtr& client) {
  RemoteCall call(client);
  procession::encode(call.draft_, RemoteRequest::count);
  procession::encode(call.draft_, client->take_gone());
  return procession::decode<std::uint64_t>(call.make());
}

Decoder& RemoteCall::make() {
  try {
    send_value(connection_, draft_, kRequestPrint, kRequestName);
    receive_value(connection_, reply_, kReplyPrint, kReplyName);
  } catch (const BrokenPipe&) {
    connection_->close();
    drop_lost_connections();
    throw_lost(client_->address());
  } catch (const EndOfFile&) {
    connection_->close();
    drop_lost_connections();
    throw_lost(client_->address());
  }
  return read_reply(result_, reply_);
}

RemoteRefPtr RemoteCall::make_object() {
  return std::make_shared<RemoteRef>(client_, procession::decode<std::uint64_t>(make()));
}

void throw_has_no_names() {
  throw ProcessError(
      "asked to call a method by its name of an object of this tree of processes; names are for "
      "objects of other programs: use call<&T::method>(...)");
}

void throw_not_remote(std::string_view what) {
  throw ProcessError("asked a Manager of this tree of processes for " + std::string(what) +
                     ", by name; that is for one of Manager::connect()");
}

void throw_not_local(std::string_view what) {
  throw ProcessError("asked a Manager that is connected to another program for " +
                     std::string(what) + "; that is known of servers of this tree of processes");
}

void throw_not_for_abroad() {
  throw ProcessError(
      "asked to call an object that another program has with a function, or for one, and no code "
      "ever crosses a network; let the server register what is to be done under a name");
}

}  // namespace procession::detail
