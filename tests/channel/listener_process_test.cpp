// Connections between programs and processes of the tree: peers that are killed, connections that
// are passed on; and messages of more than 2 GiB.

#include <thread>

#include "channel/raw_peer.hpp"
#include "platform/memory.hpp"
#include "procession/queue.hpp"

namespace channel_test {
namespace {

using mp::Address;
using mp::Connection;
using mp::Listener;
using process_test::started;

class NetworkPeer : public process_test::EachMethod {};
PROCESSION_BY_PROCESS_METHODS(NetworkPeer);

TEST_P(NetworkPeer, OneThatIsKilledIsTheEndOfTheFile) {
  Listener listener(Address{}, {.authkey = mp::current_authkey()});
  mp::Process peer = started(
      GetParam(),
      [](const std::string& host, std::uint16_t port) {
        const Connection mine = mp::Client({host, port}, {.authkey = mp::current_authkey()});
        mine.send(42);
        process_test::sleep_for_ever();
      },
      listener.address().host, listener.address().port);
  const Connection connection = listener.accept();
  EXPECT_EQ(connection.recv<int>(), 42);
  peer.kill();
  EXPECT_THROW((void)connection.recv<int>(), mp::EndOfFile);
  EXPECT_THROW(
      {
        for (;;)
          connection.send(1);
      },
      mp::BrokenPipe);
  peer.join();
}

/// Until it gets a 0. Not until the end of the file: a fork keeps copies of both ends.
void echo(const Connection& connection) {
  while (const int number = connection.recv<int>())
    connection.send(number + 1);
}

TEST_P(NetworkPeer, AConnectionIsPassedOnAsAnArgument) {
  Listener listener;
  auto [mine, its] = meet(listener);
  mine.send(1);  // on its way meanwhile
  mine.send(2);
  EXPECT_EQ(its.recv<int>(), 1);
  mp::Process child = started(GetParam(), echo, its);
  its.close();
  EXPECT_EQ(mine.recv<int>(), 3) << "the second message was not read ahead";
  mine.send(10);
  EXPECT_EQ(mine.recv<int>(), 11);
  mine.send(20);
  EXPECT_EQ(mine.recv<int>(), 21);
  mine.send(0);
  child.join();
  EXPECT_EQ(child.exitcode(), 0);
}

TEST_P(NetworkPeer, AConnectionIsPassedOnThroughAQueue) {
  Listener listener;
  auto [mine, its] = meet(listener);
  const mp::Queue<Connection> queue;
  mp::Process child = started(
      GetParam(), [](const mp::Queue<Connection>& connections) { echo(connections.get()); }, queue);
  queue.put(its);
  its.close();
  mine.send(10);
  EXPECT_EQ(mine.recv<int>(), 11);
  mine.send(0);
  child.join();
  EXPECT_EQ(child.exitcode(), 0);
}

TEST_P(NetworkPeer, TheEndOfAChildThatWasGivenTheConnectionIsTheEndOfTheFile) {
  Listener listener;
  auto [mine, its] = meet(listener);
  mp::Process child = started(
      GetParam(),
      [](const Connection& connection) {
        connection.send(1);
        connection.close();
        process_test::sleep_for_ever();
      },
      its);
  its.close();
  EXPECT_EQ(mine.recv<int>(), 1);
  if (GetParam() != mp::StartMethod::fork) {
    EXPECT_THROW((void)mine.recv<int>(), mp::EndOfFile);
  } else {
    // A fork keeps the copy of the other end as well, which it was not given.
    child.kill();
    EXPECT_THROW((void)mine.recv<int>(), mp::EndOfFile);
  }
  child.kill();
  child.join();
}

constexpr std::uint64_t kHuge = (std::uint64_t{1} << 31) + 12'345;

bool has_memory() { return mp::platform::available_memory() > (std::uint64_t{9} << 30); }

TEST(HugeMessage, OfMoreThanTwoGibibytesIsReceived) {
  if (mp::kSanitized) GTEST_SKIP() << "takes minutes with a sanitizer";
  if (!has_memory()) GTEST_SKIP() << "needs 9 GiB of memory";
  Listener listener(Address{}, {.max_frame = std::uint64_t{3} << 30});
  std::thread sender([address = listener.address()] {
    RawPeer peer(address);
    peer.say(std::string("\xff\xff\xff\xff\x00\x00\x00\x00\x80\x00\x30\x39", 12));
    const std::string piece(1 << 20, 'p');
    for (std::uint64_t left = kHuge; left != 0;) {
      const std::uint64_t now = std::min<std::uint64_t>(left, piece.size());
      ASSERT_TRUE(peer.say(std::string_view(piece).substr(0, now)));
      left -= now;
    }
    peer.say_frame("next");
    peer.hear_the_end();
  });
  {
    const Connection connection = listener.accept();
    const std::vector<std::byte> message = connection.recv_bytes();
    EXPECT_EQ(message.size(), kHuge);
    EXPECT_EQ(message.back(), std::byte{'p'});
    EXPECT_EQ(connection.recv_bytes(), bytes_of("next"));
  }
  sender.join();
}

TEST(HugeMessage, OfMoreThanTwoGibibytesIsSent) {
  if (mp::kSanitized) GTEST_SKIP() << "takes minutes with a sanitizer";
  if (!has_memory()) GTEST_SKIP() << "needs 9 GiB of memory";
  Listener listener;
  RawPeer peer(listener.address());
  const Connection connection = listener.accept();
  std::thread sender([&] {
    const std::vector<std::byte> message(kHuge, std::byte{'q'});
    connection.send_bytes(message);
    connection.send_bytes(bytes_of("next"));
  });
  EXPECT_EQ(peer.hear(12), std::string("\xff\xff\xff\xff\x00\x00\x00\x00\x80\x00\x30\x39", 12));
  for (std::uint64_t left = kHuge; left != 0;) {
    const std::string piece = peer.hear(std::min<std::uint64_t>(left, 1 << 20));
    ASSERT_FALSE(piece.empty());
    ASSERT_EQ(piece.front(), 'q');
    left -= piece.size();
  }
  EXPECT_EQ(peer.hear_frame(), "next");
  sender.join();
}

}  // namespace
}  // namespace channel_test
