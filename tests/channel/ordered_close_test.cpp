// All that was sent arrives, however the connection ends; and what may not have arrived is an
// error.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "channel/raw_peer.hpp"
#include "channel/support.hpp"
#include "procession/pool.hpp"
#include "procession/queue.hpp"

namespace channel_test {
namespace {

using namespace std::chrono_literals;
using mp::Address;
using mp::Connection;
using mp::Listener;
using process_test::started;
using process_test::text_of;

constexpr int kMessages = 100;
/// All of them are more than the system keeps for who does not receive.
constexpr std::size_t kSize = 100'000;

void send_all(const Connection& connection) {
  const std::vector<std::byte> message(kSize, std::byte{7});
  for (int i = 0; i != kMessages; ++i)
    connection.send_bytes(message);
}

/// How many messages come before the end, which must be an orderly one.
int count_to_the_end(const Connection& connection) {
  int count = 0;
  try {
    for (;; ++count)
      EXPECT_EQ(connection.recv_bytes().size(), kSize);
  } catch (const mp::EndOfFile&) {
  } catch (const std::exception& error) {
    ADD_FAILURE() << "after " << count << " messages: " << error.what();
  }
  return count;
}

/// Waits until nothing is on the connection's way that it could still be sent.
void wait_for_bytes(const Connection& connection, std::size_t bytes) {
  process_test::wait_until(
      [&] { return mp::platform::waiting_bytes(connection.fileno()) >= bytes; });
}

class OrderedClose : public testing::TestWithParam<const char*> {
 protected:
  static Address address() {
    return std::string(GetParam()) == "Unix" ? Address{fresh_path()} : Address{"127.0.0.1", 0};
  }
  Listener listener{address()};
};
INSTANTIATE_TEST_SUITE_P(Over, OrderedClose, testing::Values("Tcp", "Unix"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(OrderedClose, WhatWasLeftUnreadDestroysNothing) {
  auto [mine, its] = meet(listener);
  mine.send(1);
  wait_for_bytes(its, 4);
  std::thread sender([&, its = std::move(its)] {
    send_all(its);
    its.close();
  });
  EXPECT_EQ(count_to_the_end(mine), kMessages);
  EXPECT_THROW((void)mine.recv_bytes(), mp::EndOfFile) << "and so it stays";
  sender.join();
}

TEST_P(OrderedClose, WhatComesAfterItDestroysNothing) {
  auto [mine, its] = meet(listener);
  std::atomic<bool> closed = false;
  std::thread sender([&, its = std::move(its)] {
    send_all(its);
    its.close();
    closed = true;
  });
  // The last ones fit where the system keeps them: so the other side comes to its end.
  const int received = kMessages - (std::string(GetParam()) == "Unix" ? 1 : 4);
  for (int i = 0; i != received; ++i)
    EXPECT_EQ(mine.recv_bytes().size(), kSize);
  process_test::wait_until([&] { return closed.load(); });
  for (int i = 0; i != 5; ++i) {
    try {
      mine.send(i);
    } catch (const mp::BrokenPipe&) {
      break;
    }
  }
  EXPECT_EQ(received + count_to_the_end(mine), kMessages);
  sender.join();
}

/// A client that has not received something, has sent all, and ends in one way or another.
void end_with_a_connection(const std::string& host, std::uint16_t port, int how) {
  auto connection = std::make_unique<Connection>(mp::Client({host, port}));
  connection->send_bytes(bytes_of("I am here"));
  wait_for_bytes(*connection, 4);
  send_all(*connection);
  switch (how) {
    case 0:
      return;
    case 1:
      // Nobody destroys it.
      static_cast<void>(connection.release());
      return;
    case 2: {
      static const Connection kept = *connection;
      return;
    }
    case 3:
      static_cast<void>(connection.release());
      std::exit(0);
    default: {
      static const Connection kept = *connection;
      connection.reset();
      std::exit(0);
    }
  }
}

class EndOfAProcess : public process_test::EachMethod {};
PROCESSION_BY_PROCESS_METHODS(EndOfAProcess);

TEST_P(EndOfAProcess, AllThatItHadSentArrives) {
  for (int how = 0; how != 5; ++how) {
    SCOPED_TRACE(how);
    // The handlers that a fork has of its parent's are not its own to run.
    if (how == 4 && GetParam() == mp::StartMethod::fork) continue;
    Listener listener;
    mp::Process peer = started(GetParam(), end_with_a_connection, listener.address().host,
                               listener.address().port, how);
    const Connection connection = listener.accept();
    EXPECT_EQ(connection.recv_bytes(), bytes_of("I am here"));
    connection.send(1);
    EXPECT_EQ(count_to_the_end(connection), kMessages);
    peer.join();
    EXPECT_EQ(peer.exitcode(), 0);
  }
}

void send_and_close(const Connection& connection) {
  wait_for_bytes(connection, 4);
  send_all(connection);
  connection.close();
}

class SharedSocket : public process_test::EachMethod {};
PROCESSION_BY_PROCESS_METHODS(SharedSocket);

TEST_P(SharedSocket, WhoHasItLastEndsTheConnection) {
  Listener listener;
  auto [mine, its] = meet(listener);
  mine.send(1);
  mp::Process child = started(GetParam(), send_and_close, its);
  its.close();
  EXPECT_EQ(count_to_the_end(mine), kMessages);
  child.join();
}

TEST_P(SharedSocket, ThroughAQueueToo) {
  Listener listener;
  auto [mine, its] = meet(listener);
  mine.send(1);
  const mp::Queue<Connection> queue;
  queue.put(its);
  its.close();
  mp::Process child = started(
      GetParam(), [](const mp::Queue<Connection>& some) { send_and_close(some.get()); }, queue);
  EXPECT_EQ(count_to_the_end(mine), kMessages);
  child.join();
}

TEST_P(SharedSocket, WhoClosesFirstEndsNothing) {
  Listener listener;
  auto [mine, its] = meet(listener);
  {
    mp::Process child = started(
        GetParam(),
        [](const Connection& connection) {
          connection.send(connection.recv<int>() + 1);
          connection.close();
        },
        its);
    mine.send(1);
    EXPECT_EQ(mine.recv<int>(), 2);
    child.join();
  }
  mine.send(10);
  EXPECT_EQ(its.recv<int>(), 10);
  its.send(11);
  EXPECT_EQ(mine.recv<int>(), 11);
  its.close();
  EXPECT_THROW((void)mine.recv<int>(), mp::EndOfFile);
}

TEST(SharedSocketOfATask, WhoHasItLastEndsTheConnection) {
  mp::Pool pool(1);
  for (int round = 0; round != 2; ++round) {
    Listener listener;
    auto [mine, its] = meet(listener);
    mine.send(1);
    auto result = pool.apply_async(send_and_close, its);
    its.close();
    // The task has it until it has ended for its pool, too.
    std::thread waiting([&] { result.get(); });
    EXPECT_EQ(count_to_the_end(mine), kMessages);
    waiting.join();
  }
}

void send_number(const Connection& connection, int number) { connection.send(number); }

// Each of its chunks decodes the function anew, and gives the connection up at its end.
TEST(SharedSocketOfATask, AFunctionThatHasItSendsFromChunkToChunk) {
  mp::Pool pool(1);
  Listener listener;
  auto [mine, its] = meet(listener);
  pool.map(mp::bind(send_number, its), {1, 2, 3, 4}, {.chunksize = 1});
  its.close();
  for (int i = 1; i <= 4; ++i)
    EXPECT_EQ(mine.recv<int>(), i);
  EXPECT_THROW((void)mine.recv<int>(), mp::EndOfFile);
}

TEST(PlainFork, EachSideMayCloseWhatTheOtherGoesOnWith) {
  for (const bool parent_goes_on : {true, false}) {
    Listener listener;
    auto [mine, its] = meet(listener);
    const pid_t child = ::fork();
    if (child == 0) {
      if (!parent_goes_on) {
        its.send(its.recv<int>() + 1);
      }
      its.close();
      ::_exit(0);
    }
    if (!parent_goes_on) {
      its.close();
      mine.send(1);
      EXPECT_EQ(mine.recv<int>(), 2);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    if (parent_goes_on) {
      mine.send(1);
      EXPECT_EQ(its.recv<int>(), 1);
      its.send(2);
      EXPECT_EQ(mine.recv<int>(), 2);
    }
  }
}

/// Ends the connection as a host does that has crashed.
void reset(std::optional<RawPeer>& peer) {
  const linger now{1, 0};
  ::setsockopt(peer->socket(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  peer.reset();
}

struct ResetPair {
  Listener listener;
  std::optional<RawPeer> peer{std::in_place, listener.address()};
  Connection connection = listener.accept();
};

TEST(Reset, IsAnErrorAndNoEnd) {
  ResetPair pair;
  pair.peer->say_frame("one");
  pair.peer->say_frame("two");
  wait_for_bytes(pair.connection, 14);
  reset(pair.peer);
  EXPECT_EQ(pair.connection.recv_bytes(), bytes_of("one"));
  EXPECT_TRUE(pair.connection.poll());
  EXPECT_EQ(pair.connection.recv_bytes(), bytes_of("two"));
  EXPECT_TRUE(pair.connection.poll(1h));
  EXPECT_EQ(mp::wait({pair.connection}), std::vector<std::size_t>{0});
  const std::string text = text_of<mp::ConnectionLost>([&] { (void)pair.connection.recv_bytes(); });
  EXPECT_NE(text.find("reset by peer"), std::string::npos) << text;
  EXPECT_THROW((void)pair.connection.recv_bytes(), mp::ConnectionLost) << "and so it stays";
}

TEST(Reset, IsKnownToWhoReceivesAlsoWhereWhoSendsHeardOfIt) {
  ResetPair pair;
  pair.peer->say_frame("one");
  wait_for_bytes(pair.connection, 7);
  reset(pair.peer);
  EXPECT_THROW(
      {
        for (;;)
          pair.connection.send(1);
      },
      mp::BrokenPipe);
  EXPECT_EQ(pair.connection.recv_bytes(), bytes_of("one"));
  EXPECT_THROW((void)pair.connection.recv_bytes(), mp::ConnectionLost);
  EXPECT_THROW((void)pair.connection.recv_bytes(), mp::ConnectionLost);
}

TEST(Reset, InTheMiddleOfAMessageIsOneToo) {
  ResetPair pair;
  pair.peer->say(std::string("\0\0\0\x05xy", 6));
  wait_for_bytes(pair.connection, 6);
  reset(pair.peer);
  EXPECT_THROW((void)pair.connection.recv_bytes(), mp::ConnectionLost);
  EXPECT_TRUE(pair.connection.closed());
}

TEST(Reset, APeerThatLeavesSomethingUnreadIsNoOrderlyEnd) {
  ResetPair pair;
  pair.connection.send(1);
  process_test::wait_until([&] { return mp::platform::waiting_bytes(pair.peer->socket()) != 0; });
  pair.peer.reset();
  EXPECT_THROW((void)pair.connection.recv_bytes(), mp::ConnectionLost);
}

TEST(Reset, OfAUnixSocketNothingIsLost) {
  Listener listener(Address{fresh_path()});
  std::optional<RawPeer> peer(std::in_place, listener.address());
  const Connection connection = listener.accept();
  connection.send(1);
  peer->say_frame("one");
  peer.reset();
  EXPECT_EQ(connection.recv_bytes(), bytes_of("one"));
  EXPECT_THROW((void)connection.recv_bytes(), mp::EndOfFile);
}

TEST(RefusedClient, IsToldSoWhateverElseItHasSent) {
  Listener listener(Address{}, {.authkey = key_of("secret")});
  RawPeer peer(listener.address());
  // Of what comes behind the wrong proof the listener reads nothing.
  peer.say_frame("{sha256}" + std::string(32, 'x'));
  peer.say(std::string(1000, 'y'));
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  EXPECT_TRUE(peer.hear_frame().starts_with("#CHALLENGE#"));
  EXPECT_EQ(peer.hear_frame(), "#FAILURE#");
  char byte = 0;
  ssize_t got = -1;
  while ((got = ::recv(peer.socket(), &byte, 1, 0)) < 0 && errno == EAGAIN) {
  }
  EXPECT_EQ(got, 0) << "an orderly end";
  listener.close();
  server.join();
}

TEST(OrderedCloses, LeaveNothingBehind) {
  const auto entries = [](const char* folder) {
    const auto all = std::filesystem::directory_iterator(folder);
    return std::distance(begin(all), end(all));
  };
  Listener listener;
  const auto descriptors = entries("/proc/self/fd");
  const auto threads = entries("/proc/self/task");
  {
    // More than are waited for at a time; none takes all that was sent to it.
    std::vector<std::unique_ptr<RawPeer>> peers;
    for (int i = 0; i != 80; ++i) {
      peers.push_back(std::make_unique<RawPeer>(listener.address()));
      const Connection connection = listener.accept();
      connection.send_bytes(std::vector<std::byte>(1'000'000));
      connection.close();
    }
  }
  process_test::wait_until([&] {
    return entries("/proc/self/fd") <= descriptors && entries("/proc/self/task") <= threads;
  });
}

}  // namespace
}  // namespace channel_test
