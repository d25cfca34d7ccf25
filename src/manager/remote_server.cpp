#include "procession/detail/remote_server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "channel/transport.hpp"
#include "log/log.hpp"
#include "manager/class_registry.hpp"
#include "manager/session.hpp"
#include "platform/deadline.hpp"
#include "platform/stream_socket.hpp"
#include "procession/detail/listener_core.hpp"
#include "procession/detail/served_methods.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using namespace manager;

namespace {

/// Between attempts to accept, while that cannot be.
constexpr std::chrono::milliseconds kPause{100};

/// How long the call that ended the server may go on after that, and still be answered before
/// `serve` returns. Should it wait for just that, it would do so for ever.
constexpr std::chrono::seconds kLastAnswer{10};

template <class S>
RegisteredType known_type(const char* name) {
  Methods<S> methods;
  list_methods(methods);
  return {name, served_fingerprint<S>(), type_name<S>(), known_makers<S>(), std::move(methods.all)};
}

}  // namespace

class RemoteServer : public std::enable_shared_from_this<RemoteServer> {
 public:
  RemoteServer(const Address& address, const ListenerOptions& options)
      : listener_(make_listener(address, options)) {
    registry_.add(known_type<ServedLock>("Lock"));
    registry_.add(known_type<ServedRLock>("RLock"));
    registry_.add(known_type<ServedCondition>("Condition"));
    registry_.add(known_type<ServedSemaphore>("Semaphore"));
    registry_.add(known_type<ServedBoundedSemaphore>("BoundedSemaphore"));
    registry_.add(known_type<ServedEvent>("Event"));
  }
  RemoteServer(const RemoteServer&) = delete;
  RemoteServer& operator=(const RemoteServer&) = delete;
  ~RemoteServer() = default;

  template <class Entry>
  void add(Entry entry) {
    if (serving_) {
      throw ProcessError("asked to register \"" + entry.name +
                         "\" with a ManagerServer that serves already; register everything before "
                         "serve_forever()");
    }
    registry_.add(std::move(entry));
  }

  [[nodiscard]] bool knows(std::uint64_t fingerprint) const {
    return registry_.type(fingerprint) != nullptr;
  }
  [[nodiscard]] Address address() const { return listener_address(listener_); }

  void serve() {
    serving_ = true;
    serve_clients();
    await_last_answer();
  }

  void end() noexcept {
    if (Session* const asked = Session::answering(this)) {
      asked->close_when_answered();
      const std::lock_guard guard(mutex_);
      last_ = asked->weak_from_this();
    }
    ended_ = true;
    close_listener(listener_);
    const std::lock_guard guard(mutex_);
    for (const auto& one : connections_) {
      if (const SessionPtr connection = one.lock()) connection->end();
    }
  }

 private:
  void serve_clients() {
    while (!ended_) {
      try {
        admit(accept_connection(listener_, std::nullopt));
      } catch (const std::exception& error) {
        if (ended_) return;
        // No descriptors, threads or memory are left: those who are served go on, and may go.
        if (log::enabled(LogLevel::warning)) {
          log::write(LogLevel::warning, to_string(address()) + ": " + error.what());
        }
        std::this_thread::sleep_for(kPause);
      }
    }
  }

  /// The program may end when `serve` has returned: if a client asked for that, it is told first.
  void await_last_answer() {
    const platform::Deadline deadline(kLastAnswer);
    const auto is_answered = [this] {
      const std::lock_guard guard(mutex_);
      const SessionPtr last = last_.lock();
      return last == nullptr || last->closed();
    };
    while (!is_answered() && !deadline.passed())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  void admit(TransportPtr connection) {
    Transport* const transport = connection.get();  // which its session keeps
    platform::expect_prompt_peer(Transport::Use(*transport).descriptor());
    const auto answer = [self = shared_from_this(), transport, client = ClientSession()](
                            Decoder& request, Encoder& reply) mutable {
      if (client == nullptr) {
        client = self->enter(request, reply, *transport);
      } else {
        client->answer(request, reply);
      }
      return Next::wait;
    };
    const SessionPtr session = attend({std::move(connection), {}, answer, this, true});
    if (session == nullptr) return;
    {
      const std::lock_guard guard(mutex_);
      std::erase_if(connections_, [](const auto& one) { return one.expired(); });
      connections_.push_back(session);
    }
    if (ended_) session->end();
  }

  using ClientSession = std::shared_ptr<RemoteSession>;

  /// The session of a client program, which lasts as long as one of its connections does.
  ClientSession enter(Decoder& request, Encoder& reply, Transport& connection) {
    if (decode<RemoteRequest>(request) != RemoteRequest::enter) {
      throw DecodeError("found a request ahead of the name of its session");
    }
    const auto id = decode<SessionId>(request);
    connection.limit_sent(decode<std::uint64_t>(request));
    request.expect_end();
    const std::lock_guard guard(mutex_);
    std::erase_if(sessions_, [](const auto& one) { return one.second.expired(); });
    auto& known = sessions_[id];
    ClientSession session = known.lock();
    const bool begins = session == nullptr;
    encode(reply, begins);
    if (begins) {
      session = std::make_shared<RemoteSession>(registry_, shares_);
      known = session;
    }
    return session;
  }

  Registry registry_;
  Shares shares_;
  ListenerPtr listener_;
  std::atomic<bool> serving_{false};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::map<SessionId, std::weak_ptr<RemoteSession>> sessions_;
  std::vector<std::weak_ptr<Session>> connections_;
  std::weak_ptr<Session> last_;  ///< in which the end was asked for
};

namespace {

RemoteServer& named(const RemoteServerPtr& server) {
  if (server == nullptr) {
    throw ProcessError("this ManagerServer was moved from; use the one it was moved to");
  }
  return *server;
}

}  // namespace

RemoteServerPtr make_remote_server(const Address& address, const AuthKey& key,
                                   ListenerOptions options) {
  options.authkey = key;
  return std::make_shared<RemoteServer>(address, options);
}

void register_type(const RemoteServerPtr& server, RegisteredType type) {
  named(server).add(std::move(type));
}
void register_function(const RemoteServerPtr& server, RegisteredFunction function) {
  named(server).add(std::move(function));
}
bool knows_type(const RemoteServerPtr& server, std::uint64_t fingerprint) {
  return named(server).knows(fingerprint);
}
Address server_address(const RemoteServerPtr& server) { return named(server).address(); }
void serve_remote(const RemoteServerPtr& server) { named(server).serve(); }
void end_remote_server(const RemoteServerPtr& server) noexcept {
  if (server != nullptr) server->end();
}

}  // namespace procession::detail
