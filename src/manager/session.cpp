#include "manager/session.hpp"

#include <exception>
#include <string>
#include <thread>
#include <utility>

#include "channel/transport.hpp"
#include "manager/followers.hpp"
#include "manager/wire.hpp"
#include "process/copy_check.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::manager {

using detail::MessageDraft;
using detail::TransportPtr;

Session::Session(TransportPtr transport, Answer answer)
    : transport_(std::move(transport)), answer_(std::move(answer)) {}

bool Session::gone() {
  // A client sends nothing while it waits, so this is its end.
  return transport_->poll(platform::Deadline(Duration::zero()));
}

bool Session::has_request() const noexcept { return transport_->glance(); }

bool Session::is_asleep() const noexcept { return transport_->peer_sleeps(); }

void Session::close() noexcept { detail::close_connection(transport_); }

void Session::greet() {
  MessageDraft greeting(transport_);
  encode(greeting, Reply::result);
  detail::send_value(transport_, greeting, kReplyPrint, kReplyName);
}

void Session::send_exception(const std::exception_ptr& thrown) {
  MessageDraft reply(transport_);
  encode(reply, Reply::exception);
  encode_exception(reply, thrown);
  detail::send_value(transport_, reply, kReplyPrint, kReplyName);
  transport_->nudge();
}

Next Session::answer_one() {
  detail::Incoming message;
  detail::receive_value(transport_, message, kRequestPrint, kRequestName);
  Decoder request(message.bytes());
  if (message.from_abroad()) request.set_abroad();
  const Entered entered(*this);
  return reply_to(request);
}

Next Session::reply_to(Decoder& request) {
  std::exception_ptr thrown;
  const process::CopyCheck check;
  constexpr const char* kCall = "a call of a manager's object";
  try {
    MessageDraft reply(transport_);
    encode(reply, Reply::result);
    const Next next = answer_(request, reply);
    check.end_copies(kCall);
    detail::send_value(transport_, reply, kReplyPrint, kReplyName);
    transport_->nudge();
    return next;
  } catch (const CallerGone&) {
    check.end_copies(kCall);
    throw;
  } catch (const BrokenPipe&) {
    check.end_copies(kCall);
    if (gone()) throw;
    thrown = std::current_exception();
  } catch (...) {
    thrown = std::current_exception();
  }
  check.end_copies(kCall);
  send_exception(thrown);
  return Next::wait;
}

namespace {

void serve(SessionPtr session, const std::shared_ptr<Followers>& followers) {
  try {
    session->greet();
    for (;;) {
      if (session->answer_one() == Next::follow && followers != nullptr) followers->join(session);
    }
  } catch (...) {
    // It sees the end; there is nobody else to be told, or no memory for it.
  }
  session->close();
}

}  // namespace

void attend(const TransportPtr& transport, Answer answer, std::shared_ptr<Followers> followers) {
  transport->close_in_forks();
  const auto session = std::make_shared<Session>(transport, std::move(answer));
  try {
    std::thread(serve, session, std::move(followers)).detach();
  } catch (const std::exception& error) {
    MessageDraft refusal(transport);
    encode(refusal, Reply::exception);
    encode_exception(refusal,
                     std::make_exception_ptr(ProcessError(
                         "the manager's server cannot attend to one more thread of a client: " +
                         std::string(error.what()) + "; end some clients first")));
    detail::send_value(transport, refusal, kReplyPrint, kReplyName);
  }
}

}  // namespace procession::manager
