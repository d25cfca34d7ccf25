#include "manager/session.hpp"

#include <exception>
#include <string>
#include <thread>
#include <utility>

#include "channel/transport.hpp"
#include "manager/caller.hpp"
#include "manager/wire.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::manager {

namespace {

using detail::MessageDraft;
using detail::TransportPtr;

bool is_gone(const TransportPtr& transport) {
  // A client sends nothing while it waits, so this is its end.
  return transport->poll(platform::Deadline(Duration::zero()));
}

/// The client of a thread.
class Visitor final : public Caller {
 public:
  explicit Visitor(TransportPtr transport) : transport_(std::move(transport)) { enter(); }

  bool gone() override { return is_gone(transport_); }

 private:
  TransportPtr transport_;
};

void send_exception(const TransportPtr& transport, const std::exception_ptr& thrown) {
  MessageDraft reply(transport);
  encode(reply, Reply::exception);
  encode_exception(reply, thrown);
  detail::send_value(transport, reply, kReplyPrint, kReplyName);
}

void answer_one(const TransportPtr& transport, Answer& answer, Decoder& request) {
  std::exception_ptr thrown;
  try {
    MessageDraft reply(transport);
    encode(reply, Reply::result);
    answer(request, reply);
    detail::send_value(transport, reply, kReplyPrint, kReplyName);
    return;
  } catch (const CallerGone&) {
    throw;
  } catch (const BrokenPipe&) {
    if (is_gone(transport)) throw;
    thrown = std::current_exception();
  } catch (...) {
    thrown = std::current_exception();
  }
  send_exception(transport, thrown);
}

void serve(const TransportPtr& transport, Answer& answer) {
  try {
    Visitor visitor(transport);
    MessageDraft greeting(transport);
    encode(greeting, Reply::result);
    detail::send_value(transport, greeting, kReplyPrint, kReplyName);
    for (;;) {
      detail::Incoming message;
      detail::receive_value(transport, message, kRequestPrint, kRequestName);
      Decoder request(message.bytes());
      if (message.from_abroad()) request.set_abroad();
      answer_one(transport, answer, request);
    }
  } catch (...) {
    // The client has gone, or says what no client says, or there is no memory to tell it anything:
    // it sees the end.
  }
  detail::close_connection(transport);
}

}  // namespace

void attend(const TransportPtr& transport, Answer answer) {
  transport->close_in_forks();
  try {
    std::thread([transport, answer = std::move(answer)]() mutable {
      serve(transport, answer);
    }).detach();
  } catch (const std::exception& error) {
    send_exception(transport, std::make_exception_ptr(ProcessError(
                                  "the manager's server cannot attend to one more thread of a "
                                  "client: " +
                                  std::string(error.what()) + "; end some clients first")));
  }
}

}  // namespace procession::manager
