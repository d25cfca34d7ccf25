// Where listeners are: paths that mean something else later, names of hosts that have no IPv4; and
// who has a key and who has none.

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "channel/raw_peer.hpp"

namespace {
/// A host that this test's name service knows, and that has only addresses of IPv6.
constexpr const char* kSixOnly = "six-only.procession.test";
}  // namespace

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto system = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (host == nullptr || std::string(host) != kSixOnly) {
    return system(host, service, hints, found);
  }
  if (hints != nullptr && hints->ai_family == AF_INET) return EAI_NONAME;
  return system("::1", service, hints, found);
}

namespace channel_test {
namespace {

using namespace std::chrono_literals;
using mp::Address;
using mp::Connection;
using mp::Listener;
using process_test::text_of;

TEST(ListenerPlace, ARelativePathIsRemovedWhereItWasMade) {
  const std::filesystem::path before = std::filesystem::current_path();
  const std::filesystem::path folder = fresh_path();
  std::filesystem::create_directories(folder / "a");
  std::filesystem::create_directories(folder / "b");
  std::filesystem::current_path(folder / "a");
  {
    Listener listener(Address{"./x.sock"});
    EXPECT_TRUE(std::filesystem::is_socket(folder / "a/x.sock"));
    std::filesystem::current_path(folder / "b");
    // A listener of another one, with the same path here.
    Listener other(Address{"./x.sock"});
    listener.close();
    EXPECT_FALSE(std::filesystem::exists(folder / "a/x.sock"));
    EXPECT_TRUE(std::filesystem::is_socket(folder / "b/x.sock"));
    std::filesystem::current_path(before);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "b/x.sock"));
  {
    Listener listener(Address{(folder / "a/y.sock").string()});
    std::filesystem::rename(folder / "a", folder / "c");
    EXPECT_TRUE(std::filesystem::is_socket(folder / "c/y.sock"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "c/y.sock")) << "though the folder was renamed";
  std::filesystem::remove_all(folder);
}

TEST(ListenerPlace, AHostMayHaveIPv6Only) {
  // By the system, not by a Listener: one that could not do it at all would skip its own test.
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const mp::platform::Descriptor probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe ||
      ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) != 0) {
    GTEST_SKIP() << "no IPv6 here";
  }
  Listener listener({kSixOnly, 0});
  EXPECT_EQ(listener.address().host, "::1");
  const Connection mine = mp::Client({kSixOnly, listener.address().port});
  const Connection its = listener.accept();
  mine.send(1);
  EXPECT_EQ(its.recv<int>(), 1);
}

TEST(OneSidedKey, AClientWithoutOneIsTold) {
  for (const bool sends_first : {false, true}) {
    Listener listener(Address{}, {.authkey = key_of("secret")});
    std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
    const Connection connection = mp::Client(listener.address());
    if (sends_first) connection.send_bytes(bytes_of("a request"));
    const std::string text =
        text_of<mp::AuthenticationError>([&] { (void)connection.recv_bytes(); });
    EXPECT_NE(text.find("authkey"), std::string::npos) << text;
    EXPECT_TRUE(connection.closed());
    listener.close();
    server.join();
  }
}

TEST(OneSidedKey, AClientWithoutOneThatOnlySendsIsTold) {
  Listener listener(Address{}, {.authkey = key_of("secret")});
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  const Connection connection = mp::Client(listener.address());
  const std::string text = text_of<mp::AuthenticationError>([&] {
    for (;;)
      connection.send_bytes(bytes_of("a request"));
  });
  EXPECT_NE(text.find("authkey"), std::string::npos) << text;
  listener.close();
  server.join();
}

TEST(OneSidedKey, AClientThatWasHandedOnIsToldToo) {
  Listener listener(Address{}, {.authkey = key_of("secret")});
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  const Connection connection = mp::Client(listener.address());
  EXPECT_EQ(process_test::exitcode_of(
                mp::StartMethod::forkserver,
                [](const Connection& its) {
                  try {
                    (void)its.recv_bytes();
                  } catch (const mp::AuthenticationError&) {
                    return;
                  }
                  std::_Exit(3);
                },
                connection),
            0);
  listener.close();
  server.join();
}

TEST(OneSidedKey, AClientWithOneAtAListenerWithoutIsTold) {
  Listener listener;
  std::thread server([&] {
    const Connection its = listener.accept();
    its.send_bytes(bytes_of("welcome"));
    EXPECT_THROW((void)its.recv_bytes(), mp::EndOfFile);
  });
  const std::string text = text_of<mp::AuthenticationError>(
      [&] { (void)mp::Client(listener.address(), {.authkey = key_of("secret")}); });
  EXPECT_NE(text.find("no authkey"), std::string::npos) << text;
  server.join();
}

TEST(OneSidedKey, AMessageThatMerelyBeginsLikeAChallengeIsOne) {
  Listener listener;
  auto [mine, its] = meet(listener);
  its.send_bytes(bytes_of("#CHALLENGE# of the day"));
  EXPECT_EQ(mine.recv_bytes(), bytes_of("#CHALLENGE# of the day"));
  its.send_bytes(bytes_of("#CHALLENGE#" + std::string(40, 'x')));
  EXPECT_EQ(mine.recv_bytes().size(), 51U) << "not the first";
}

}  // namespace
}  // namespace channel_test
