// Stock CPython on the other side, as client and as listener.

#include <future>

#include "channel/listener_support.hpp"
#include "platform/memory.hpp"
#include "support/python.hpp"

namespace channel_test {
namespace {

using namespace std::chrono_literals;
using mp::Address;
using mp::Connection;
using mp::Listener;
using mp::Python;
using process_test::text_of;

const char* const kImports =
    "import hashlib, hmac, os, sys\n"
    "from multiprocessing import AuthenticationError\n"
    "from multiprocessing.connection import Client, Listener\n";

const char* const kEcho =
    "    try:\n"
    "        while True: c.send_bytes(c.recv_bytes())\n"
    "    except EOFError: print('end')\n";

/// As Python writes it.
std::string address_of(const Address& address) {
  if (address.host.starts_with('/')) return "'" + address.host + "'";
  if (address.host.starts_with('@')) return "'\\0" + address.host.substr(1) + "'";
  return "('" + address.host + "', " + std::to_string(address.port) + ")";
}

std::string client_program(const Address& address, const std::string& key = "None") {
  return std::string(kImports) + "with Client(" + address_of(address) + ", authkey=" + key +
         ") as c:\n" + kEcho;
}

std::string listener_program(const Address& address, const std::string& key = "None") {
  return std::string(kImports) + "with Listener(" + address_of(address) + ", authkey=" + key +
         ") as l:\n    a = l.address\n    print(a[1] if type(a) is tuple else 0, flush=True)\n" +
         "    c = l.accept()\n" + kEcho;
}

/// HMAC-MD5 is all that CPython before 3.12 can do.
bool python_is_old() {
  return Python("import sys; print(sys.version_info < (3, 12))").line() == "True";
}

void check_echo(const Connection& connection, std::size_t size) {
  std::vector<std::byte> message(size);
  for (std::size_t i = 0; i < size; ++i)
    message[i] = static_cast<std::byte>(i * 2654435761U >> 13);
  auto sent = std::async(std::launch::async, [&] { connection.send_bytes(message); });
  const std::vector<std::byte> echo = connection.recv_bytes();
  sent.get();
  EXPECT_TRUE(echo == message) << echo.size() << " bytes for " << size;
}

void check_echoes(const Connection& connection) {
  const std::size_t large = (mp::kSanitized ? std::size_t{8} : std::size_t{100}) << 20;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{16383}, std::size_t{16384}, std::size_t{16385},
        std::size_t{65536}, large, std::size_t{0}}) {
    check_echo(connection, size);
  }
}

class Places : public testing::TestWithParam<const char*> {
 protected:
  static Address place() {
    const std::string kind = GetParam();
    if (kind == "Tcp") return {"127.0.0.1", 0};
    if (kind == "Unix") return {fresh_path()};
    return {"@procession-python-" + std::to_string(::getpid())};
  }
};
INSTANTIATE_TEST_SUITE_P(Of, Places, testing::Values("Tcp", "Unix", "Abstract"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(Places, PythonIsTheClient) {
  Listener listener(place());
  Python client(client_program(listener.address()));
  const Connection connection = listener.accept();
  check_echoes(connection);
  connection.close();
  EXPECT_EQ(client.rest(), "end\n");
}

TEST_P(Places, PythonIsTheListener) {
  Address address = place();
  Python listener(listener_program(address));
  address.port = static_cast<std::uint16_t>(std::stoi(listener.line()));
  const Connection connection = mp::Client(address);
  check_echoes(connection);
  connection.close();
  EXPECT_EQ(listener.rest(), "end\n");
}

TEST_P(Places, PythonIsTheClientAndBothProveTheKey) {
  Listener listener(place(), {.authkey = key_of("secret"), .allow_md5 = true});
  Python client(client_program(listener.address(), "b'secret'"));
  const Connection connection = listener.accept();
  check_echo(connection, 1000);
  connection.close();
  EXPECT_EQ(client.rest(), "end\n");
}

TEST_P(Places, PythonIsTheListenerAndBothProveTheKey) {
  Address address = place();
  Python listener(listener_program(address, "b'secret'"));
  address.port = static_cast<std::uint16_t>(std::stoi(listener.line()));
  const Connection connection =
      mp::Client(address, {.authkey = key_of("secret"), .allow_md5 = true});
  check_echo(connection, 1000);
  connection.close();
  EXPECT_EQ(listener.rest(), "end\n");
}

TEST(PythonPeer, OfAnOldOneTheProofIsTakenOnRequestOnly) {
  if (!python_is_old()) GTEST_SKIP() << "this python3 proves its key by SHA-256";
  Listener listener(Address{}, {.authkey = key_of("secret")});
  Python client(client_program(listener.address(), "b'secret'"));
  auto accepted = std::async(std::launch::async, [&] {
    return text_of<mp::ProcessError>([&] { (void)listener.accept(); });
  });
  EXPECT_NE(client.rest().find("AuthenticationError"), std::string::npos);
  listener.close();
  EXPECT_NE(accepted.get().find("closed"), std::string::npos);

  Python other(listener_program({"127.0.0.1", 0}, "b'secret'"));
  const auto port = static_cast<std::uint16_t>(std::stoi(other.line()));
  const std::string text = text_of<mp::AuthenticationError>(
      [&] { (void)mp::Client({"127.0.0.1", port}, {.authkey = key_of("secret")}); });
  EXPECT_NE(text.find("allow_md5"), std::string::npos) << text;
}

TEST(PythonPeer, AWrongKeyIsRefusedByEitherSide) {
  {
    Listener listener(Address{}, {.authkey = key_of("secret"), .allow_md5 = true});
    auto accepted = std::async(std::launch::async, [&] { return listener.accept(); });
    Python wrong(client_program(listener.address(), "b'guess'"));
    EXPECT_NE(wrong.rest().find("AuthenticationError"), std::string::npos);
    Python right(client_program(listener.address(), "b'secret'"));
    const Connection connection = accepted.get();
    check_echo(connection, 10);
    connection.close();
    EXPECT_EQ(right.rest(), "end\n");
  }
  Python listener(listener_program({"127.0.0.1", 0}, "b'secret'"));
  const auto port = static_cast<std::uint16_t>(std::stoi(listener.line()));
  EXPECT_THROW(
      (void)mp::Client({"127.0.0.1", port}, {.authkey = key_of("guess"), .allow_md5 = true}),
      mp::AuthenticationError);
  EXPECT_NE(listener.rest().find("AuthenticationError"), std::string::npos);
}

/// What CPython 3.12 and later do, on the connection c of any Python.
const char* const kNewForm =
    "def answer(c, key):\n"
    "    m = c.recv_bytes(256)\n"
    "    assert m[:11] == b'#CHALLENGE#', m\n"
    "    m = m[11:]\n"
    "    name = m[1:m.index(b'}')].decode()\n"
    "    c.send_bytes(b'{' + name.encode() + b'}' + hmac.new(key, m, name).digest())\n"
    "    if c.recv_bytes(256) != b'#WELCOME#': raise AuthenticationError('rejected')\n"
    "def challenge(c, key, name):\n"
    "    m = b'{' + name.encode() + b'}' + os.urandom(40)\n"
    "    c.send_bytes(b'#CHALLENGE#' + m)\n"
    "    if c.recv_bytes(256) != b'{' + name.encode() + b'}' + hmac.new(key, m, name).digest():\n"
    "        c.send_bytes(b'#FAILURE#')\n"
    "        raise AuthenticationError('wrong')\n"
    "    c.send_bytes(b'#WELCOME#')\n";

TEST(PythonPeer, TheFormOfCPython312IsSpokenBothWaysWithEveryDigest) {
  for (const std::string name : {"sha256", "sha384", "sha3_256", "sha3_384"}) {
    Listener listener(Address{}, {.authkey = key_of("secret")});
    Python client(
        std::string(kImports) + kNewForm + "with Client(" + address_of(listener.address()) +
        ") as c:\n    answer(c, b'secret')\n    challenge(c, b'secret', '" + name + "')\n" + kEcho);
    const Connection connection = listener.accept();
    check_echo(connection, 1000);
    connection.close();
    EXPECT_EQ(client.rest(), "end\n");

    Python other(std::string(kImports) + kNewForm +
                 "l = Listener(('127.0.0.1', 0))\nprint(l.address[1], flush=True)\n" +
                 "with l.accept() as c:\n    challenge(c, b'secret', '" + name +
                 "')\n    answer(c, b'secret')\n" + kEcho);
    const auto port = static_cast<std::uint16_t>(std::stoi(other.line()));
    const Connection mine = mp::Client({"127.0.0.1", port}, {.authkey = key_of("secret")});
    check_echo(mine, 1000);
    mine.close();
    EXPECT_EQ(other.rest(), "end\n");
  }
}

TEST(PythonPeer, AnUnknownDigestIsRefused) {
  Python other(std::string(kImports) + kNewForm +
               "l = Listener(('127.0.0.1', 0))\nprint(l.address[1], flush=True)\n" +
               "challenge(l.accept(), b'secret', 'sha1')\n");
  const auto port = static_cast<std::uint16_t>(std::stoi(other.line()));
  EXPECT_THROW((void)mp::Client({"127.0.0.1", port}, {.authkey = key_of("secret")}),
               mp::AuthenticationError);
  EXPECT_NE(other.rest().find("EOFError"), std::string::npos);
}

}  // namespace
}  // namespace channel_test
