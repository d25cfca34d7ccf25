// How encrypted connections end, what their peers may send besides messages, and keys that are
// encrypted themselves.

#include <future>
#include <optional>
#include <thread>

#include "channel/raw_peer.hpp"
#include "channel/tls_support.hpp"
#include "support/python.hpp"

namespace channel_test {
namespace {

using namespace std::chrono_literals;
using mp::Address;
using mp::Connection;
using mp::Listener;
using mp::TlsOptions;
using process_test::text_of;

class TlsEnd : public Tls {
 protected:
  /// A client of Python's with the connection s, which does that.
  static std::string python_client(const Listener& listener, const std::string& then) {
    return "import ssl, socket, struct\n"
           "context = ssl.create_default_context(cafile='" +
           folder() +
           "ca.pem')\n"
           "context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF\n"
           "s = context.wrap_socket(socket.create_connection(('127.0.0.1', " +
           std::to_string(listener.address().port) +
           ")), server_hostname='127.0.0.1', suppress_ragged_eofs=False)\n" + then;
  }
};

const char* const kSayOne = "s.sendall(struct.pack('!i', 3) + b'one')\n";

TEST_F(TlsEnd, AllThatWasSentArrives) {
  constexpr std::size_t kSize = 100'000;
  auto [mine, its] = meet_by_tls({.tls = shown("host")}, {.tls = trusting()});
  mine.send(1);
  process_test::wait_until([&] { return mp::platform::waiting_bytes(its.fileno()) != 0; });
  std::thread sender([its = std::move(its)] {
    for (int i = 0; i != 100; ++i)
      its.send_bytes(std::vector<std::byte>(kSize));
    its.close();
  });
  for (int i = 0; i != 100; ++i)
    EXPECT_EQ(mine.recv_bytes().size(), kSize);
  EXPECT_THROW((void)mine.recv_bytes(), mp::EndOfFile);
  EXPECT_THROW((void)mine.recv_bytes(), mp::EndOfFile);
  sender.join();
}

TEST_F(TlsEnd, IsSaidToTheOtherSide) {
  Listener listener(Address{}, {.tls = shown("host")});
  mp::Python client(python_client(listener, std::string(kSayOne) + "print(s.recv(100))\n"));
  const Connection connection = listener.accept();
  EXPECT_EQ(connection.recv_bytes(), bytes_of("one"));
  connection.close();
  EXPECT_EQ(client.rest(), "b''\n") << "without a close_notify it is an ssl.SSLEOFError";
}

TEST_F(TlsEnd, OfWhoSaysItIsAnEnd) {
  Listener listener(Address{}, {.tls = shown("host")});
  mp::Python client(python_client(listener, std::string(kSayOne) + "s.unwrap()\n"));
  const Connection connection = listener.accept();
  EXPECT_EQ(connection.recv_bytes(), bytes_of("one"));
  EXPECT_TRUE(connection.poll(1h));
  EXPECT_THROW((void)connection.recv_bytes(), mp::EndOfFile);
  connection.close();
  EXPECT_EQ(client.rest(), "");
}

TEST_F(TlsEnd, OfWhoDoesNotSayItIsALoss) {
  Listener listener(Address{}, {.tls = shown("host")});
  mp::Python client(python_client(listener, std::string(kSayOne) + "s.close()\n"));
  const Connection connection = listener.accept();
  EXPECT_EQ(connection.recv_bytes(), bytes_of("one"));
  EXPECT_TRUE(connection.poll(1h));
  const std::string text = text_of<mp::ConnectionLost>([&] { (void)connection.recv_bytes(); });
  EXPECT_NE(text.find("TLS was cut off"), std::string::npos) << text;
  EXPECT_THROW((void)connection.recv_bytes(), mp::ConnectionLost);
}

TEST_F(TlsEnd, OfAProcessIsSaidToo) {
  for (const bool destroyed : {true, false}) {
    Listener listener(Address{}, {.tls = shown("host")});
    mp::Process client = process_test::started(
        mp::StartMethod::spawn,
        [](std::uint16_t port, const std::string& ca, bool destroy) {
          const TlsOptions options{.ca = ca};
          auto* const connection =
              new Connection(mp::Client({"127.0.0.1", port}, {.tls = options}));
          connection->send(1);
          if (destroy) delete connection;
        },
        listener.address().port, trusting().ca, destroyed);
    const Connection connection = listener.accept();
    EXPECT_EQ(connection.recv<int>(), 1);
    EXPECT_THROW((void)connection.recv<int>(), mp::EndOfFile);
    client.join();
  }
}

TEST_F(TlsEnd, AForkSaysNothing) {
  auto [mine, its] = meet_by_tls({.tls = shown("host")}, {.tls = trusting()});
  for (const mp::StartMethod method : {mp::StartMethod::fork, mp::StartMethod::forkserver}) {
    mp::Process child = process_test::started(method, [] {});
    child.join();
  }
  mine.send(1);
  EXPECT_EQ(its.recv<int>(), 1);
  its.send(2);
  EXPECT_EQ(mine.recv<int>(), 2);
}

TEST_F(TlsEnd, TicketsOfAForeignListenerAreNoMessages) {
  mp::Python listener(
      "import ssl, socket, struct\n"
      "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
      "context.load_cert_chain('" +
      folder() + "host.pem', '" + folder() +
      "host.key')\n"
      "l = socket.create_server(('127.0.0.1', 0))\n"
      "print(l.getsockname()[1], flush=True)\n"
      "s = context.wrap_socket(l.accept()[0], server_side=True)\n"
      "while True:\n"
      "    b = s.recv(5)\n"
      "    if not b: break\n"
      "    s.sendall(struct.pack('!i', 1) + b'a' + struct.pack('!i', 1) + b'b')\n");
  const auto port = static_cast<std::uint16_t>(std::stoi(listener.line()));
  const Connection connection = mp::Client({"127.0.0.1", port}, {.tls = trusting()});
  process_test::wait_until([&] { return mp::platform::waiting_bytes(connection.fileno()) != 0; });
  EXPECT_FALSE(connection.poll()) << "two tickets have come";
  EXPECT_FALSE(connection.poll(20ms));
  EXPECT_TRUE(mp::wait({connection}, 20ms).empty());
  connection.send_bytes(bytes_of("x"));
  EXPECT_EQ(mp::wait({connection}), std::vector<std::size_t>{0});
  EXPECT_EQ(connection.recv_bytes(), bytes_of("a"));
  EXPECT_TRUE(connection.poll()) << "it came with the first";
  EXPECT_EQ(mp::wait({connection}, 0ns), std::vector<std::size_t>{0});
  EXPECT_EQ(connection.recv_bytes(), bytes_of("b"));
  EXPECT_FALSE(connection.poll());
  connection.close();
}

TEST_F(TlsEnd, AnEncryptedKeyIsOpenedByItsPasswordAndNobodyIsAsked) {
  const std::string command = "openssl pkey -aes256 -passout pass:sesame -in " + folder() +
                              "host.key -out " + folder() + "locked.key 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  TlsOptions options = shown("host");
  options.key = folder() + "locked.key";
  std::string text = text_of<mp::ProcessError>([&] { Listener(Address{}, {.tls = options}); });
  EXPECT_NE(text.find("locked.key"), std::string::npos) << text;
  EXPECT_NE(text.find("key_password"), std::string::npos) << text;
  options.key_password = "open";
  text = text_of<mp::ProcessError>([&] { Listener(Address{}, {.tls = options}); });
  EXPECT_NE(text.find("does not open it"), std::string::npos) << text;
  options.key_password = "sesame";
  auto [mine, its] = meet_by_tls({.tls = options}, {.tls = trusting()});
  mine.send(1);
  EXPECT_EQ(its.recv<int>(), 1);
}

TEST_F(TlsEnd, AFileThatIsNotThereIsNamedAndThatItIsNot) {
  const auto refusal = [](const TlsOptions& options) {
    return text_of<mp::ProcessError>([&] { (void)mp::Client({"127.0.0.1", 1}, {.tls = options}); });
  };
  TlsOptions options = shown("host");
  options.certificate = folder() + "none.pem";
  std::string text = refusal(options);
  EXPECT_NE(text.find("none.pem"), std::string::npos) << text;
  EXPECT_NE(text.find("No such file"), std::string::npos) << text;
  options = shown("host");
  options.key = folder() + "none.key";
  text = refusal(options);
  EXPECT_NE(text.find("none.key"), std::string::npos) << text;
  EXPECT_NE(text.find("No such file"), std::string::npos) << text;
  options = {.ca = folder() + "none.ca"};
  text = refusal(options);
  EXPECT_NE(text.find("none.ca"), std::string::npos) << text;
  EXPECT_NE(text.find("No such file"), std::string::npos) << text;
}

}  // namespace
}  // namespace channel_test
