// Leader and followers exchange their sessions where the leader is stuck.

#include "manager/followers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>

#include "channel/transport.hpp"
#include "manager/session.hpp"
#include "manager/wire.hpp"
#include "process/support.hpp"

namespace manager_test {
namespace {

namespace mp = procession;
using mp::manager::Next;
using mp::manager::Session;
using mp::manager::SessionPtr;

struct Client {
  mp::detail::TransportPtr pipe;
  SessionPtr session;
};

Client make_client(mp::manager::Answer answer) {
  auto [mine, its] = mp::detail::make_pipe(true);
  mp::manager::SessionClient client;
  client.transport = its;
  client.answer = std::move(answer);
  client.own_streams = false;
  return {mine, std::make_shared<Session>(std::move(client))};
}

/// Follows with a session, which it then lets go of.
void follow(mp::manager::Followers& followers, SessionPtr& session) {
  SessionPtr own = std::exchange(session, nullptr);
  followers.join(own);
  EXPECT_NE(own, nullptr);
}

// A lock that a killed client had is free once its session is gone. So whoever waits for that lock,
// in a thread that was once the session's, must not have it any more.
TEST(Followers, AStuckLeaderKeepsNothingOfTheSessionThatItCameWith) {
  for (int round = 0; round < 20; ++round) {
    mp::manager::LeaderState lead{};
    mp::manager::Followers followers({}, lead);
    Client first = make_client([](mp::Decoder&, mp::Encoder&) { return Next::wait; });
    const std::weak_ptr<Session> of_first = first.session;
    Client second = make_client([&](mp::Decoder&, mp::Encoder&) {
      process_test::wait_until([&] { return of_first.expired(); });
      return Next::wait;
    });
    mp::detail::MessageBuilder request(second.pipe);
    mp::encode(request, 1);
    mp::detail::send_value(second.pipe, request, mp::manager::kRequestPrint,
                           mp::manager::kRequestName);
    // The first one leads, unless it was without a request for too long when the second one came.
    std::thread leader([&] { follow(followers, first.session); });
    process_test::wait_until([&] { return first.session == nullptr; });
    std::thread deputy([&] { follow(followers, second.session); });
    leader.join();
    deputy.join();
    EXPECT_TRUE(of_first.expired());
  }
}

}  // namespace
}  // namespace manager_test
