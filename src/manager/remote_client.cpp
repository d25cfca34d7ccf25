#include <algorithm>
#include <atomic>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "channel/transport.hpp"
#include "manager/remote_wire.hpp"
#include "manager/thread_connections.hpp"
#include "manager/wire.hpp"
#include "platform/random.hpp"
#include "platform/spawn.hpp"
#include "platform/stream_socket.hpp"
#include "procession/detail/listener_core.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::detail {

using namespace manager;

using References = std::vector<std::uint64_t>;

/// One session: each thread has a connection of its own, so that its calls do not wait for those of
/// others; one more is kept as long as the session lasts. A session that was lost with all its
/// connections, or with the server, begins anew with the next call; what there was in it is lost.
class RemoteClient {
 public:
  RemoteClient(Address address, ClientOptions options)
      : address_(std::move(address)), options_(std::move(options)) {
    platform::fill_random(std::as_writable_bytes(std::span(session_)));
    kept_ = connect().transport;
  }
  RemoteClient(const RemoteClient&) = delete;
  RemoteClient& operator=(const RemoteClient&) = delete;
  ~RemoteClient() { disconnect(); }

  [[nodiscard]] const Address& address() const noexcept { return address_; }
  TransportPtr connection();
  void disconnect() noexcept;

  [[nodiscard]] std::uint64_t new_reference() noexcept { return ++last_reference_; }
  /// To be given back with the next request.
  void gone(std::span<const std::uint64_t> references) noexcept;
  /// Up to so many of them.
  References take_gone(std::size_t most);
  [[nodiscard]] std::size_t count_gone();

 private:
  struct Connected {
    TransportPtr transport;
    bool begins;  ///< its session
  };
  /// Whether this is a copy in the child of a fork, where the mutex may be that of a thread which
  /// did not come along, and all connections are closed.
  [[nodiscard]] bool is_copy() const noexcept { return maker_ != platform::process_id(); }
  Connected connect() const;
  void renew_kept(bool lost);

  const Address address_;
  const ClientOptions options_;
  const int maker_ = platform::process_id();
  std::atomic<bool> down_{false};
  SessionId session_{};
  std::atomic<std::uint64_t> last_reference_{0};
  std::mutex mutex_;
  TransportPtr kept_;
  References gone_;
};

class RemoteRef {
 public:
  /// `object` is the reference by which the session got the same object first.
  RemoteRef(RemoteClientPtr client, std::uint64_t reference, std::uint64_t object)
      : client_(std::move(client)), reference_(reference), object_(object) {}
  RemoteRef(const RemoteRef&) = delete;
  RemoteRef& operator=(const RemoteRef&) = delete;
  ~RemoteRef() { client_->gone({&reference_, 1}); }

  [[nodiscard]] const RemoteClientPtr& client() const noexcept { return client_; }
  [[nodiscard]] std::uint64_t reference() const noexcept { return reference_; }
  [[nodiscard]] std::uint64_t object() const noexcept { return object_; }

 private:
  RemoteClientPtr client_;
  std::uint64_t reference_;
  std::uint64_t object_;
};

namespace {

[[noreturn]] void throw_lost(const Address& address) {
  throw EndOfFile("asked to call an object of the manager at " + to_string(address) +
                  ", and the connection ended before the reply: the server has ended, or the "
                  "network between; whether the call was made is not known. Connect anew");
}

Decoder& read_reply(std::optional<Decoder>& decoder, const Incoming& reply) {
  decoder.emplace(reply.bytes());
  decoder->set_untrusted();
  if (procession::decode<Reply>(*decoder) == Reply::exception) throw_decoded(*decoder, {});
  return *decoder;
}

}  // namespace

RemoteClient::Connected RemoteClient::connect() const {
  TransportPtr transport = connect_to(address_, options_);
  transport->close_in_forks();
  platform::expect_prompt_peer(Transport::Use(*transport).descriptor());
  MessageBuilder builder(transport);
  procession::encode(builder, RemoteRequest::enter);
  procession::encode(builder, session_);
  procession::encode(builder, transport->most_taken());
  try {
    std::optional<Decoder> decoder;
    Incoming welcome;
    receive_value(transport, welcome, kReplyPrint, kReplyName);
    transport->limit_sent(procession::decode<std::uint64_t>(read_reply(decoder, welcome)));
    send_value(transport, builder, kRequestPrint, kRequestName);
    Incoming reply;
    receive_value(transport, reply, kReplyPrint, kReplyName);
    const auto begins = procession::decode<bool>(read_reply(decoder, reply));
    return {std::move(transport), begins};
  } catch (const TypeMismatch&) {
    throw ProcessError("asked to connect to a manager at " + to_string(address_) +
                       ", where something else listens: what it sends is no reply of one");
  } catch (const EndOfFile&) {
    throw_lost(address_);
  } catch (const ConnectionLost&) {
    throw_lost(address_);
  }
}

TransportPtr RemoteClient::connection() {
  if (down_ || is_copy()) {
    throw ProcessError("asked to call an object of the manager at " + to_string(address_) +
                       " after its shutdown(), or in the child of a fork, which shares no "
                       "connections; call Manager::connect() anew, and get a new proxy");
  }
  if (TransportPtr found = find_connection(this)) return found;
  Connected made = connect();
  renew_kept(made.begins);
  // Whether the server has ended is known when a call fails.
  keep_connection(this, made.transport, [](Peer) noexcept { return false; });
  return std::move(made.transport);
}

/// Where the one that is kept was lost, be it with the whole session, the session would end with
/// the threads that have a connection.
void RemoteClient::renew_kept(bool lost) {
  TransportPtr kept;
  {
    const std::lock_guard guard(mutex_);
    kept = kept_;
  }
  if (!lost && !kept->poll(platform::Deadline(Duration::zero()))) return;
  TransportPtr made = connect().transport;
  const std::lock_guard guard(mutex_);
  if (kept_ != kept || down_) return;  // another thread was faster, or has disconnected
  kept_ = std::move(made);
  kept->close();
}

void RemoteClient::disconnect() noexcept {
  down_ = true;
  if (!is_copy()) {
    const std::lock_guard guard(mutex_);
    kept_->close();
  }
  for (const ThreadConnection& one : take_connections(this))
    one.transport->close();
}

void RemoteClient::gone(std::span<const std::uint64_t> references) noexcept {
  if (is_copy()) return;  // they are the original's
  try {
    const std::lock_guard guard(mutex_);
    gone_.insert(gone_.end(), references.begin(), references.end());
  } catch (const std::bad_alloc&) {
    // Then the server keeps them until the end of the session.
  }
}

References RemoteClient::take_gone(std::size_t most) {
  const std::lock_guard guard(mutex_);
  const std::size_t left = gone_.size() - std::min(gone_.size(), most);
  const auto from = gone_.begin() + static_cast<std::ptrdiff_t>(left);
  References taken(from, gone_.end());
  gone_.erase(from, gone_.end());
  return taken;
}

std::size_t RemoteClient::count_gone() {
  const std::lock_guard guard(mutex_);
  return gone_.size();
}

RemoteClientPtr connect_manager(const Address& address, const AuthKey& key, ClientOptions options) {
  options.authkey = key;
  return std::make_shared<RemoteClient>(address, std::move(options));
}

bool same_object(const RemoteRefPtr& a, const RemoteRefPtr& b) noexcept {
  if (a == nullptr || b == nullptr) return a == b;
  return a->client() == b->client() && a->object() == b->object();
}

Address remote_address(const RemoteClientPtr& client) { return client->address(); }
void disconnect_manager(const RemoteClientPtr& client) noexcept { client->disconnect(); }

RemoteCall::RemoteCall(RemoteClientPtr client)
    : client_(std::move(client)), connection_(client_->connection()), builder_(connection_) {}

RemoteCall::~RemoteCall() {
  // Where the request was not sent, or nobody knows whether it arrived, all is given back again.
  if (!is_answered_) client_->gone(given_back_);
  if (is_sent_ && reference_ != 0) client_->gone({&reference_, 1});
}

void RemoteCall::begin(RemoteRequest what) {
  // Few enough to leave most of the largest message to the arguments.
  const std::uint64_t room = connection_->most_sent() / 4 / sizeof(std::uint64_t);
  given_back_ = client_->take_gone(std::clamp<std::uint64_t>(room, 1, kMostGivenBack));
  procession::encode(builder_, what);
  procession::encode(builder_, given_back_);
}

RemoteCall::RemoteCall(const RemoteRefPtr& object, const char* name, TypeMark arguments,
                       TypeMark result)
    : RemoteCall(object->client()) {
  if (name == nullptr) {
    throw ProcessError(
        "asked to call a method of an object that another program has by its place in this one; no "
        "code address ever crosses a network: call it by the name that the server registered, as "
        "in call<int>(\"add\", 3)");
  }
  begin(RemoteRequest::call);
  procession::encode(builder_, object->reference());
  procession::encode(builder_, std::string_view(name));
  encode_mark(builder_, arguments);
  encode_mark(builder_, result);
}

RemoteCall::RemoteCall(const RemoteClientPtr& client, std::string_view name, TypeMark arguments,
                       TypeMark value)
    : RemoteCall(client) {
  begin(RemoteRequest::value);
  procession::encode(builder_, name);
  encode_mark(builder_, arguments);
  encode_mark(builder_, value);
}

RemoteCall::RemoteCall(const RemoteClientPtr& client, std::string_view name, TypeMark arguments,
                       Object object)
    : RemoteCall(client) {
  begin(RemoteRequest::object);
  reference_ = client_->new_reference();
  procession::encode(builder_, reference_);
  procession::encode(builder_, name);
  encode_mark(builder_, arguments);
  encode_mark(builder_, {object.fingerprint, object.type});
}

std::size_t count_remote(const RemoteClientPtr& client) {
  for (std::size_t told = 0, all = client->count_gone();;) {
    RemoteCall call(client);
    call.begin(RemoteRequest::count);
    const auto counted = procession::decode<std::uint64_t>(call.make());
    told += call.given_back_.size();
    if (told >= all || call.given_back_.empty()) return counted;
  }
}

Decoder& RemoteCall::make() {
  const auto lose = [this] {
    connection_->close();
    drop_lost_connections();
    throw_lost(client_->address());
  };
  try {
    send_value(connection_, builder_, kRequestPrint, kRequestName);
    is_sent_ = true;
    receive_value(connection_, reply_, kReplyPrint, kReplyName);
    is_answered_ = true;
  } catch (const BrokenPipe&) {
    lose();
  } catch (const EndOfFile&) {
    lose();
  } catch (const ConnectionLost&) {
    lose();
  }
  return read_reply(result_, reply_);
}

RemoteRefPtr RemoteCall::make_object() {
  const auto object = procession::decode<std::uint64_t>(make());
  auto made = std::make_shared<RemoteRef>(client_, reference_, object);
  reference_ = 0;  // it is the proxy's
  return made;
}

void throw_has_no_names() {
  throw ProcessError(
      "asked to call a method by its name of an object of this tree of processes; names are for "
      "objects of other programs: use call<&T::method>(...)");
}

void throw_not_remote(std::string_view what) {
  throw ProcessError("asked a Manager of this tree of processes for " + std::string(what) +
                     ", which only one of Manager::connect() has");
}

void throw_not_local(std::string_view what) {
  throw ProcessError("asked a Manager that is connected to another program for " +
                     std::string(what) + "; that is known of servers of this tree of processes");
}

void throw_not_for_untrusted() {
  throw ProcessError(
      "asked to call an object that another program has with a function, or for one, and no code "
      "ever crosses a network; let the server register what is to be done under a name");
}

}  // namespace procession::detail
