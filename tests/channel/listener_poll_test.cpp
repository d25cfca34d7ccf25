// poll() and wait() of connections between programs tell of whole messages.

#include <optional>
#include <thread>

#include "channel/raw_peer.hpp"

namespace channel_test {
namespace {

using namespace std::chrono_literals;
using mp::Address;
using mp::Connection;
using mp::Listener;

using ReadyPlaces = std::vector<std::size_t>;

class PartOfAMessage : public testing::TestWithParam<const char*> {
 protected:
  static Address address() {
    return std::string(GetParam()) == "Unix" ? Address{fresh_path()} : Address{"127.0.0.1", 0};
  }
  void say(std::string_view text) {
    peer->say(text);
    said += text.size();
    process_test::wait_until(
        [&] { return mp::platform::waiting_bytes(connection.fileno()) == said; });
  }
  void expect_nothing() {
    EXPECT_FALSE(connection.poll());
    EXPECT_FALSE(connection.poll(5ms));
    EXPECT_EQ(mp::wait({connection}, 5ms), ReadyPlaces{});
  }
  Listener listener{address()};
  std::optional<RawPeer> peer{std::in_place, listener.address()};
  Connection connection = listener.accept();
  std::size_t said = 0;
};
INSTANTIATE_TEST_SUITE_P(Over, PartOfAMessage, testing::Values("Tcp", "Unix"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(PartOfAMessage, IsNoneYet) {
  say(std::string("\0", 1));
  expect_nothing();
  say(std::string("\0\0\x64", 3));
  expect_nothing();
  say(std::string(99, 'x'));
  expect_nothing();
  std::thread later([&] { peer->say("x"); });
  EXPECT_TRUE(connection.poll(1h));
  later.join();
  EXPECT_EQ(connection.recv_bytes().size(), 100U);
  said = 0;
  say(std::string("\0\0\0\x02x", 5));
  std::thread again([&] { peer->say("y"); });
  EXPECT_EQ(mp::wait({connection}), ReadyPlaces{0});
  again.join();
  EXPECT_EQ(connection.recv_bytes(), bytes_of("xy"));
  said = 0;
  say(std::string("\0\0\0\0", 4));
  EXPECT_TRUE(connection.poll()) << "a message of no bytes";
}

TEST_P(PartOfAMessage, DoesNotKeepOthersWaiting) {
  say(std::string("\0\0\0\x02x", 5));
  auto [first, second] = mp::Pipe();
  std::thread later([&first = first] { first.send(1); });
  EXPECT_EQ(mp::wait({connection, second}), ReadyPlaces{1});
  later.join();
}

TEST_P(PartOfAMessage, IsToldOfWhereNoMoreCanCome) {
  say(std::string("\0\0\0\x02x", 5));
  ::shutdown(peer->socket(), SHUT_WR);
  EXPECT_TRUE(connection.poll(1h));
  EXPECT_EQ(mp::wait({connection}), ReadyPlaces{0});
  EXPECT_THROW((void)connection.recv_bytes(), mp::DecodeError);
}

TEST_P(PartOfAMessage, IsToldOfWhereItIsRefused) {
  say(std::string("\xff\xff\xff\xfe", 4));
  EXPECT_TRUE(connection.poll());
  EXPECT_THROW((void)connection.recv_bytes(), mp::DecodeError);
}

// More than the system keeps, be it in large pieces or in very small ones: who asks first must not
// wait for what cannot come.
TEST_P(PartOfAMessage, OfALargeOneTheBeginningIsEnough) {
  constexpr std::size_t kSmall = 10'000;
  std::thread small([&] {
    peer->say(std::string("\0\0\x27\x10", 4));
    for (std::size_t i = 0; i != kSmall; ++i)
      peer->say("x");
  });
  EXPECT_TRUE(connection.poll(1h));
  EXPECT_EQ(connection.recv_bytes().size(), kSmall);
  small.join();
  constexpr std::size_t kLarge = 0x01000000;
  std::thread large([&] {
    peer->say(std::string("\x01\0\0\0", 4));
    peer->say(std::string(kLarge, 'x'));
  });
  EXPECT_EQ(mp::wait({connection}), ReadyPlaces{0});
  EXPECT_EQ(connection.recv_bytes().size(), kLarge);
  large.join();
}

}  // namespace
}  // namespace channel_test
