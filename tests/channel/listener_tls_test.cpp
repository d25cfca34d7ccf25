// Connections that are encrypted, with certificates that are made here.

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "channel/raw_peer.hpp"
#include "channel/tls_support.hpp"
#include "support/python.hpp"

namespace channel_test {
namespace {

using mp::Address;
using mp::Connection;
using mp::Listener;
using mp::TlsOptions;
using process_test::text_of;

TEST_F(Tls, AClientWithoutTheCertificateThatIsAskedForIsToldSo) {
  TlsOptions listens = shown("host");
  listens.ca = trusting().ca;
  Listener listener(Address{}, {.authkey = key_of("secret"), .tls = listens});
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  const std::string text = text_of<mp::AuthenticationError>([&] {
    (void)mp::Client(listener.address(), {.authkey = key_of("secret"), .tls = trusting()});
  });
  EXPECT_NE(text.find("certificate and key of TlsOptions"), std::string::npos) << text;
  listener.close();
  server.join();
}

TEST_F(Tls, MessagesGoBothWays) {
  for (const auto& key : {std::optional<mp::AuthKey>(), std::optional(key_of("secret"))}) {
    auto [mine, its] =
        meet_by_tls({.authkey = key, .tls = shown("host")}, {.authkey = key, .tls = trusting()});
    mine.send(1);
    mine.send_bytes({});
    mine.send(std::string("three"));
    EXPECT_TRUE(its.poll(std::chrono::hours(1)));
    EXPECT_EQ(its.recv<int>(), 1);
    EXPECT_EQ(its.recv_bytes().size(), 0U);
    EXPECT_EQ(mp::wait({its}), std::vector<std::size_t>{0});
    EXPECT_EQ(its.recv<std::string>(), "three");
    EXPECT_FALSE(its.poll());
    // Both at a time, each more than the system keeps.
    const std::string large(20'000'000, 'x');
    std::thread there([&] { mine.send(large); });
    std::thread back([&] { its.send(large); });
    std::thread here([&] { EXPECT_EQ(its.recv<std::string>(), large); });
    EXPECT_EQ(mine.recv<std::string>(), large);
    there.join();
    back.join();
    here.join();
    mine.close();
    EXPECT_THROW((void)its.recv<int>(), mp::EndOfFile);
    EXPECT_THROW(
        {
          for (;;)
            its.send(1);
        },
        mp::BrokenPipe);
  }
}

TEST_F(Tls, TheListenersCertificateIsChecked) {
  EXPECT_NE(refusal(shown("stranger"), trusting()).find("self-signed"), std::string::npos);
  EXPECT_NE(refusal(shown("other"), trusting()).find("mismatch"), std::string::npos);
  EXPECT_NE(refusal(shown("host"), {}).find("not good"), std::string::npos)
      << "the system does not trust our authority";
  TlsOptions named = trusting();
  named.server_name = "other.example";
  auto [mine, its] = meet_by_tls({.tls = shown("other")}, {.tls = named});
  mine.send(1);
  EXPECT_EQ(its.recv<int>(), 1);
}

TEST_F(Tls, AClientsCertificateIsCheckedWhereTheListenerSaysSo) {
  TlsOptions strict = shown("host");
  strict.ca = folder() + "ca.pem";
  TlsOptions known = shown("client");
  known.ca = folder() + "ca.pem";
  {
    auto [mine, its] = meet_by_tls({.tls = strict}, {.tls = known});
    mine.send(1);
    EXPECT_EQ(its.recv<int>(), 1);
  }
  // TLS 1.3 lets a client finish before it is refused: it learns at its first message.
  Listener listener(Address{}, {.authkey = key_of("k"), .tls = strict});
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  EXPECT_THROW((void)mp::Client(listener.address(), {.authkey = key_of("k"), .tls = trusting()}),
               mp::ProcessError);
  listener.close();
  server.join();
}

TEST_F(Tls, WhoDoesNotSpeakItIsDropped) {
  Listener listener(Address{}, {.authkey = key_of("k"), .tls = shown("host")});
  std::thread server([&] { EXPECT_EQ(listener.accept().recv<int>(), 1); });
  RawPeer plain(listener.address());
  plain.say_frame("a request in the clear, and long enough to be no TLS");
  plain.hear_the_end();
  RawPeer silent(listener.address());
  mp::Client(listener.address(), {.authkey = key_of("k"), .tls = trusting()}).send(1);
  server.join();
}

TEST_F(Tls, WhatIsSentIsNotInTheClear) {
  // A relay that looks.
  Listener listener(Address{}, {.tls = shown("host")});
  const auto relay = mp::platform::listen_stream({"127.0.0.1", 0}, 1);
  const Address address = mp::platform::local_address(relay.get());
  std::string seen;
  std::thread looking([&] {
    EXPECT_EQ(mp::wait({relay.get()}).size(), 1U);
    RawPeer from(mp::platform::accept_stream(relay.get()).socket);
    RawPeer to(listener.address());
    std::thread back([&] {
      for (std::string byte; !(byte = to.hear(1)).empty();)
        from.say(byte);
    });
    for (std::string byte; !(byte = from.hear(1)).empty();) {
      seen += byte;
      to.say(byte);
    }
    ::shutdown(to.socket(), SHUT_RDWR);
    back.join();
  });
  std::thread server([&] { EXPECT_EQ(listener.accept().recv<std::string>(), "top secret"); });
  {
    const Connection mine = mp::Client(address, {.tls = trusting()});
    mine.send(std::string("top secret"));
    server.join();
  }
  looking.join();
  EXPECT_GT(seen.size(), 300U);
  EXPECT_EQ(seen.find("secret"), std::string::npos);
}

TEST_F(Tls, AnEncryptedConnectionStaysWithItsProcess) {
  auto [mine, its] = meet_by_tls({.tls = shown("host")}, {.tls = trusting()});
  EXPECT_NE(text_of<mp::ProcessError>([&] { mp::Pipe().first.send(mine); }).find("encrypted"),
            std::string::npos);
  if (const pid_t child = ::fork(); child == 0) {
    ::_exit(mine.closed() && its.closed() ? 0 : 1);
  } else {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  mine.send(1);
  EXPECT_EQ(its.recv<int>(), 1);
}

TEST_F(Tls, FilesThatAreWrongAreNamed) {
  TlsOptions missing = shown("nobody");
  EXPECT_NE(
      text_of<mp::ProcessError>([&] { Listener(Address{}, {.tls = missing}); }).find("nobody.pem"),
      std::string::npos);
  TlsOptions mixed = shown("host");
  mixed.key = folder() + "other.key";
  EXPECT_THROW(Listener(Address{}, {.tls = mixed}), mp::ProcessError);
  EXPECT_THROW(Listener(Address{}, {.tls = TlsOptions{}}), std::invalid_argument);
}

TEST_F(Tls, PythonSpeaksIt) {
  Listener listener(Address{}, {.tls = shown("host")});
  mp::Python client(
      "import ssl, socket, struct\n"
      "context = ssl.create_default_context(cafile='" +
      folder() + "ca.pem')\ns = context.wrap_socket(socket.create_connection(('127.0.0.1', " +
      std::to_string(listener.address().port) +
      ")), server_hostname='127.0.0.1')\n"
      "s.sendall(struct.pack('!i', 5) + b'first' + struct.pack('!i', 6) + b'second')\n"
      "print(s.recv(100))\n");
  const Connection connection = listener.accept();
  EXPECT_EQ(connection.recv_bytes(), bytes_of("first"));
  EXPECT_TRUE(connection.poll()) << "both came in one record";
  EXPECT_EQ(mp::wait({connection}), std::vector<std::size_t>{0});
  EXPECT_EQ(connection.recv_bytes(), bytes_of("second"));
  connection.send_bytes(bytes_of("x"));
  EXPECT_EQ(client.rest(), "b'\\x00\\x00\\x00\\x01x'\n");
}

}  // namespace
}  // namespace channel_test
