#include "manager/session.hpp"

#include <exception>
#include <string>
#include <thread>
#include <utility>

#include "channel/transport.hpp"
#include "codec/exception_types.hpp"
#include "manager/client_liveness.hpp"
#include "manager/followers.hpp"
#include "manager/thrown_here.hpp"
#include "manager/wire.hpp"
#include "platform/copy_check.hpp"
#include "process/user_code.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::manager {

using detail::MessageBuilder;
using detail::TransportPtr;

Session::Session(SessionClient client) : client_(std::move(client)) {}

Session::~Session() { take_thrown_here(thrown_); }

bool Session::gone() noexcept {
  if (closed()) return true;
  if (client_.liveness.address() != nullptr) return !is_present(client_.liveness);
  try {
    // A client sends nothing while it waits, so this is its end.
    return client_.transport->poll(platform::Deadline(Duration::zero()));
  } catch (const std::exception&) {
    return true;  // it was closed just now, or tells no more than that
  }
}

bool Session::has_request() const noexcept { return client_.transport->glance(); }

bool Session::is_asleep() const noexcept { return client_.transport->peer_sleeps(); }

void Session::close() noexcept { detail::close_connection(client_.transport); }

void Session::wake_client() noexcept { client_.transport->nudge(); }

sync::EventCount* Session::claim_client() noexcept { return client_.transport->begin_nudge(); }

bool Session::closed() const noexcept { return client_.transport->closed(); }

Session* Session::answering(const void* server) noexcept {
  auto* const session = dynamic_cast<Session*>(&Caller::current());
  return session != nullptr && session->client_.server == server ? session : nullptr;
}

void Session::greet() {
  MessageBuilder welcome(client_.transport);
  encode(welcome, Reply::result);
  if (client_.transport->untrusted()) encode(welcome, client_.transport->most_taken());
  detail::send_value(client_.transport, welcome, kReplyPrint, kReplyName);
}

void Session::send_exception(const std::exception_ptr& thrown) {
  MessageBuilder reply(client_.transport);
  if (client_.here_too && !detail::keeps_its_type(thrown)) {
    thrown_ = keep_thrown_here(thrown);
    encode(reply, Reply::exception_here);
    encode(reply, thrown_);
  } else {
    encode(reply, Reply::exception);
  }
  encode_exception(reply, thrown);
  detail::send_value(client_.transport, reply, kReplyPrint, kReplyName);
}

Next Session::answer_one() {
  detail::Incoming message;
  detail::receive_value(client_.transport, message, kRequestPrint, kRequestName);
  if (thrown_ != 0) {
    take_thrown_here(std::exchange(thrown_, 0));  // a client elsewhere has no use for it
  }
  Decoder request(message.bytes());
  if (message.untrusted()) request.set_untrusted();
  const Entered entered(*this);
  const Next next = reply_to(request);
  if (last_) close();
  return next;
}

Next Session::reply_to(Decoder& request) {
  std::exception_ptr thrown;
  const platform::CopyCheck check;
  const auto leave = [&] {
    process::leave_user_code(check, "a call of a manager's object", client_.own_streams);
  };
  try {
    MessageBuilder reply(client_.transport);
    encode(reply, Reply::result);
    const Next next = client_.answer(request, reply);
    leave();
    detail::send_value(client_.transport, reply, kReplyPrint, kReplyName);
    return next;
  } catch (const CallerGone&) {
    leave();
    throw;
  } catch (const BrokenPipe&) {
    leave();
    if (gone()) throw;
    thrown = std::current_exception();
  } catch (...) {
    thrown = std::current_exception();
  }
  leave();
  send_exception(thrown);
  return Next::wait;
}

namespace {

void serve(SessionPtr session, const std::shared_ptr<Followers>& followers) {
  try {
    session->greet();
    for (;;) {
      const Next next = session->answer_one();
      session->wake_client();
      if (next == Next::follow && followers != nullptr) followers->join(session);
    }
  } catch (...) {
    // It sees the end; there is nobody else to be told, or no memory for it.
  }
  session->close();
}

}  // namespace

SessionPtr attend(SessionClient client, std::shared_ptr<Followers> followers) {
  const TransportPtr transport = client.transport;
  transport->close_in_forks();
  auto session = std::make_shared<Session>(std::move(client));
  try {
    std::thread(serve, session, std::move(followers)).detach();
    return session;
  } catch (const std::exception& error) {
    MessageBuilder refusal(transport);
    encode(refusal, Reply::exception);
    encode_exception(refusal,
                     std::make_exception_ptr(ProcessError(
                         "the manager's server cannot attend to one more thread of a client: " +
                         std::string(error.what()) + "; end some clients first")));
    detail::send_value(transport, refusal, kReplyPrint, kReplyName);
    return nullptr;
  }
}

}  // namespace procession::manager
