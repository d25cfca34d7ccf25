#pragma once

#include <functional>
#include <memory>

#include "manager/caller.hpp"
#include "procession/codec.hpp"
#include "procession/detail/connection_core.hpp"

namespace procession::manager {

class Followers;

/// What may become of the thread that has answered a request.
enum class Next {
  wait,    ///< it waits for the session's next request
  follow,  ///< that may be left to a leader; see Followers
};

/// Does what a request asks for and writes the result. What it throws, the client is thrown.
using Answer = std::function<Next(Decoder& request, Encoder& reply)>;

/// A thread of a client, and what it is answered. One thread at a time deals with it.
class Session final : public Caller {
 public:
  Session(detail::TransportPtr transport, Answer answer);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override = default;

  void greet();
  /// Waits for a request and answers it. Throws when the client has gone, or says what no client
  /// says, or there is no memory to tell it anything; `close` it then.
  Next answer_one();
  /// Whether a request waits, by a mere look at memory. Another thread may look.
  [[nodiscard]] bool has_request() const noexcept;
  /// Whether the client has to be woken.
  [[nodiscard]] bool is_asleep() const noexcept;
  /// The client sees the end. From now on `answer_one` throws.
  void close() noexcept;

  bool gone() override;

 private:
  Next reply_to(Decoder& request);
  void send_exception(const std::exception_ptr& thrown);

  const detail::TransportPtr transport_;
  Answer answer_;
};

using SessionPtr = std::shared_ptr<Session>;

/// Greets a client and answers its requests, in a thread of its own, until it has gone; or tells it
/// that there can be no such thread. Without `followers` that is the only thread to do so.
void attend(const detail::TransportPtr& transport, Answer answer,
            std::shared_ptr<Followers> followers = nullptr);

}  // namespace procession::manager
