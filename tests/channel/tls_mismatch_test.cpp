// One side uses TLS and the other does not: both are told at once, wherever a byte tells it. No
// test has a time-out, so those that were not told would hang.

#include <array>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "channel/raw_peer.hpp"
#include "channel/tls_sign.hpp"
#include "channel/tls_support.hpp"

namespace channel_test {
namespace {

using mp::Address;
using mp::AuthenticationError;
using mp::Listener;
using process_test::text_of;

using TlsMismatch = Tls;

void expect_said(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(TlsMismatch, AtAPlainListenerWithoutAKeyBothAreTold) {
  Listener listener(Address{});
  auto client = std::async(std::launch::async, [&] {
    return text_of<AuthenticationError>(
        [&] { (void)mp::Client(listener.address(), {.tls = trusting()}); });
  });
  mp::Connection accepted = listener.accept();
  EXPECT_TRUE(accepted.poll(std::nullopt)) << "to receive does not wait";
  expect_said(text_of<AuthenticationError>([&] { (void)accepted.recv<int>(); }),
              "the client begins with TLS; set tls in the ListenerOptions");
  expect_said(client.get(), "the other side does not use TLS");
  EXPECT_THROW((void)accepted.recv<int>(), mp::ProcessError) << "it was closed";
}

TEST_F(TlsMismatch, AtAPlainListenerThatTakesSmallMessagesBothAreTold) {
  Listener listener(Address{}, {.max_frame = 1000});
  auto client = std::async(std::launch::async, [&] {
    return text_of<AuthenticationError>(
        [&] { (void)mp::Client(listener.address(), {.tls = trusting()}); });
  });
  mp::Connection accepted = listener.accept();
  expect_said(text_of<AuthenticationError>([&] { (void)accepted.recv<int>(); }), "TLS");
  expect_said(client.get(), "the other side does not use TLS");
}

TEST_F(TlsMismatch, AtAPlainListenerWithAKeyTheClientIsTold) {
  const mp::AuthKey key = key_of("k");
  Listener listener(Address{}, {.authkey = key});
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  expect_said(text_of<AuthenticationError>([&] {
                (void)mp::Client(listener.address(), {.authkey = key, .tls = trusting()});
              }),
              "the other side does not use TLS");
  listener.close();
  server.join();
}

TEST_F(TlsMismatch, AClientInTheClearThatSendsIsToldByATlsListener) {
  Listener listener(Address{}, {.tls = shown("host")});
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  mp::Connection client = mp::Client(listener.address());
  client.send(1);
  expect_said(text_of<AuthenticationError>([&] { (void)client.recv<int>(); }),
              "its listener answers by TLS; set tls in ClientOptions");
  listener.close();
  server.join();
}

TEST_F(TlsMismatch, AClientInTheClearThatOnlySendsIsTold) {
  Listener listener(Address{}, {.tls = shown("host")});
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  mp::Connection client = mp::Client(listener.address());
  const std::string text = text_of<AuthenticationError>([&] {
    for (;;)
      client.send(1);
  });
  expect_said(text, "its listener answers by TLS");
  listener.close();
  server.join();
}

// A stranger's client of TLS, in several pieces; and one that says half a hello and ends.
TEST_F(TlsMismatch, AHelloMayComeInPieces) {
  Listener listener(Address{});
  const std::string hello("\x16\x03\x01\x00\x08\x01\x00\x00\x04more", 13);
  for (const std::size_t cut : {2U, 5U, 8U}) {
    RawPeer peer(listener.address());
    mp::Connection accepted = listener.accept();
    auto refused = std::async(std::launch::async, [&] {
      return text_of<AuthenticationError>([&] { (void)accepted.recv<int>(); });
    });
    peer.say(hello.substr(0, cut));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    peer.say(hello.substr(cut));
    expect_said(refused.get(), "TLS");
    EXPECT_EQ(peer.hear(7), std::string("\x15\x03\x01\x00\x02\x02\x46", 7)) << "in its own words";
  }
  std::optional<RawPeer> peer(listener.address());
  mp::Connection accepted = listener.accept();
  peer->say(hello.substr(0, 6));
  peer.reset();
  EXPECT_THROW((void)accepted.recv<int>(), mp::DecodeError);
}

std::vector<std::byte> signs(std::initializer_list<int> numbers) {
  std::vector<std::byte> bytes;
  for (const int number : numbers)
    bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

// What only looks a little like it is the length of a message, and what follows is the message.
TEST(TlsSign, IsOneOnlyWhereAllOfItAgrees) {
  using mp::channel::tls_sign;
  using mp::channel::TlsSign;
  EXPECT_EQ(tls_sign(signs({0x16, 3, 1, 2, 0, 1, 0, 1, 252})), TlsSign::hello);
  EXPECT_EQ(tls_sign(signs({0x16, 3, 3, 0, 100, 1, 0, 0, 96})), TlsSign::hello);
  EXPECT_EQ(tls_sign(signs({0x15, 3, 3, 0, 2, 2, 70})), TlsSign::alert);
  EXPECT_EQ(tls_sign(signs({0x16, 3, 1, 2, 0, 1, 0, 1, 251})), TlsSign::none);
  EXPECT_EQ(tls_sign(signs({0x16, 3, 1, 2, 0, 2, 0, 1, 252})), TlsSign::none);
  EXPECT_EQ(tls_sign(signs({0x16, 3, 1, 2, 0, 1, 0, 1})), TlsSign::none);
  EXPECT_EQ(tls_sign(signs({0x15, 3, 3, 0, 3, 2, 70})), TlsSign::none);
  EXPECT_EQ(tls_sign(signs({0x15, 3, 3, 0, 2, 3, 70})), TlsSign::none);
  EXPECT_EQ(tls_sign(signs({0, 0, 0, 5, 1, 2, 3, 4, 5})), TlsSign::none);
  EXPECT_EQ(tls_sign({}), TlsSign::none);
}

}  // namespace
}  // namespace channel_test
