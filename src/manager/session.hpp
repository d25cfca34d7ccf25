#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

#include "manager/caller.hpp"
#include "procession/codec.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/detail/handle.hpp"
#include "sync/event_count.hpp"

namespace procession::manager {

class Followers;

/// What may become of the thread that has answered a request.
enum class Next {
  wait,    ///< it waits for the session's next request
  follow,  ///< that may be left to a leader; see Followers
};

/// Does what a request asks for and writes the result. What it throws, the client is thrown.
using Answer = std::function<Next(Decoder& request, Encoder& reply)>;

/// What makes a session.
struct SessionClient {
  detail::TransportPtr transport;
  /// Of the client's thread; empty for one of another program, or one that is ending.
  detail::Handle liveness = {};
  Answer answer;
  /// The server: the same address for all sessions of one, and for no others of this process.
  const void* server = nullptr;
  /// What calls have printed is out before they are answered.
  bool own_streams = true;
  /// Clients may be in this process, and are thrown what a call threw (thrown_here.hpp).
  bool here_too = false;
};

/// A thread of a client, and what it is answered. One thread at a time deals with it.
class Session final : public Caller, public std::enable_shared_from_this<Session> {
 public:
  explicit Session(SessionClient client);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override;

  void greet();
  /// Waits for a request and answers it. Throws when the client has gone, or says what no client
  /// says, or there is no memory to tell it anything; `close` it then. A client that dozes is not
  /// woken by the reply: see the two that follow.
  Next answer_one();
  void wake_client() noexcept;
  /// Where the client is to be woken, by `wake_claimed()`; null when it does not doze.
  sync::EventCount* claim_client() noexcept;
  /// Whether a request waits, by a mere look at memory. Another thread may look.
  [[nodiscard]] bool has_request() const noexcept;
  /// Whether the client has to be woken.
  [[nodiscard]] bool is_asleep() const noexcept;
  /// The client sees the end. From now on `answer_one` throws.
  void close() noexcept;

  /// That of `server` whose request the calling thread is at; null where there is none.
  static Session* answering(const void* server) noexcept;
  /// The request that the calling thread is at is the last one: `close`, when it has been answered.
  void close_when_answered() noexcept { last_ = true; }
  /// For who ends the server: `close`, but for one that is to be closed when it has been answered.
  void end() noexcept {
    if (!last_) close();
  }
  [[nodiscard]] bool closed() const noexcept;

  bool gone() noexcept override;

 private:
  Next reply_to(Decoder& request);
  void send_exception(const std::exception_ptr& thrown);

  const SessionClient client_;
  std::atomic<bool> last_{false};
  std::uint64_t thrown_ = 0;  ///< what the last call threw is kept under this number; 0: it is not
};

using SessionPtr = std::shared_ptr<Session>;

/// Greets a client and answers its requests, in a thread of its own, until it has gone; or tells it
/// that there can be no such thread, and returns null. Without `followers` that is the only thread
/// to do so.
SessionPtr attend(SessionClient client, std::shared_ptr<Followers> followers = nullptr);

}  // namespace procession::manager
