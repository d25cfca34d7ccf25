// Clients that are slow, wrong or hostile, before and after the proof of the key.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "channel/raw_peer.hpp"
#include "process/support.hpp"

namespace channel_test {
namespace {

using namespace std::chrono_literals;
using mp::Address;
using mp::Connection;
using mp::Listener;
using process_test::text_of;

std::size_t entries(const char* folder) {
  const auto all = std::filesystem::directory_iterator(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

Connection good_client(const Listener& listener) {
  return mp::Client(listener.address(), {.authkey = key_of("secret")});
}

const mp::ListenerOptions kGuarded{.authkey = key_of("secret")};

TEST(HostileClient, SlowOnesHoldUpNobody) {
  Listener listener(Address{}, kGuarded);
  std::vector<RawPeer> silent;
  for (int i = 0; i < 30; ++i)
    silent.emplace_back(listener.address());
  silent[3].say(std::string("\0\0", 2));
  silent[4].say_frame("{sha256}");
  std::thread other([&] { good_client(listener).send(1); });
  EXPECT_EQ(listener.accept().recv<int>(), 1);
  other.join();
}

TEST(HostileClient, OneThatDoesNotProveItsKeyInTimeIsDropped) {
  Listener listener(Address{}, {.authkey = key_of("secret"), .handshake_timeout = 30ms});
  RawPeer silent(listener.address());
  std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
  EXPECT_TRUE(silent.hear_frame().starts_with("#CHALLENGE#{sha256}"));
  silent.hear_the_end();
  listener.close();
  server.join();
}

TEST(HostileClient, OfTooManyAtATimeTheOldestIsDropped) {
  Listener listener(Address{}, {.authkey = key_of("secret"), .max_handshakes = 3});
  std::vector<RawPeer> silent;
  for (int i = 0; i < 4; ++i) {
    silent.emplace_back(listener.address());
    EXPECT_THROW((void)listener.accept(1ms), mp::TimeoutError);
  }
  silent[0].hear_the_end();
  for (int i = 1; i < 4; ++i) {
    EXPECT_TRUE(silent[static_cast<std::size_t>(i)].hear_frame().starts_with("#CHALLENGE#")) << i;
    char byte = 0;
    EXPECT_EQ(::recv(silent[static_cast<std::size_t>(i)].socket(), &byte, 1, MSG_DONTWAIT), -1);
  }
}

TEST(HostileClient, NothingOfARequestIsReadBeforeBothHaveProvedTheKey) {
  Listener listener(Address{}, kGuarded);
  RawPeer eager(listener.address());
  eager.say_frame("a request, without a proof");
  EXPECT_THROW((void)listener.accept(20ms), mp::TimeoutError);
  EXPECT_TRUE(eager.hear_frame().starts_with("#CHALLENGE#"));
  EXPECT_EQ(eager.hear_frame(), "#FAILURE#");
  EXPECT_EQ(eager.hear_frame(), "(end)");
}

TEST(HostileClient, AReflectedChallengeProvesNothing) {
  Listener listener(Address{}, kGuarded);
  RawPeer mirror(listener.address());
  EXPECT_THROW((void)listener.accept(1ms), mp::TimeoutError);
  mirror.say_frame(mirror.hear_frame());
  const std::string text =
      process_test::text_of<mp::TimeoutError>([&] { (void)listener.accept(20ms); });
  EXPECT_NE(text.find("the last client was sent away: "), std::string::npos) << text;
  EXPECT_EQ(mirror.hear_frame(), "#FAILURE#");
}

/// One of several ways to get it wrong.
void misbehave(RawPeer& peer, std::mt19937& random) {
  std::string noise(random() % 300, '\0');
  for (char& c : noise)
    c = static_cast<char>(random());
  switch (random() % 6) {
    case 0:
      return;
    case 1:
      peer.say(noise);
      return;
    case 2:
      peer.say_frame(noise);
      return;
    case 3:
      peer.say_frame("{sha256}" + std::string(32, 'x'));
      return;
    case 4:
      peer.say(std::string("\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 12));
      return;
    default:
      peer.say(std::string("\x80\x00\x00\x00", 4));
  }
}

TEST(HostileClient, TenThousandBadHandshakesLeaveNothingBehind) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  // Not over TCP, where each leaves its port in use for a minute.
  Listener listener(Address{fresh_path()}, kGuarded);
  const std::size_t descriptors = entries("/proc/self/fd");
  const std::size_t threads = entries("/proc/self/task");
  {
    std::thread attacker([&] {
      for (int i = 0; i < 10'000; ++i) {
        RawPeer peer(listener.address());
        misbehave(peer, random);
      }
      good_client(listener).send(std::string("good"));
    });
    EXPECT_EQ(listener.accept().recv<std::string>(), "good");
    attacker.join();
  }
  EXPECT_THROW((void)listener.accept(10ms), mp::TimeoutError);
  // Fewer, where connections of the test before were still coming to their end.
  EXPECT_LE(entries("/proc/self/fd"), descriptors);
  EXPECT_LE(entries("/proc/self/task"), threads);
}

struct HostilePair {
  Listener listener{Address{}, {.max_frame = 1'000'000}};
  RawPeer peer{listener.address()};
  Connection connection = listener.accept();
};

TEST(HostilePeer, AMessageThatIsTooLongEndsTheConnection) {
  for (const auto& head : {std::string("\x00\x0f\x42\x41", 4),  // one more than max_frame
                           std::string("\xff\xff\xff\xff\x00\x00\x00\x00\x80\x00\x00\x00", 12),
                           std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)}) {
    HostilePair pair;
    pair.peer.say(head);
    const std::string text = text_of<mp::DecodeError>([&] { (void)pair.connection.recv_bytes(); });
    EXPECT_NE(text.find("max_frame"), std::string::npos) << text;
    EXPECT_TRUE(pair.connection.closed());
    pair.peer.hear_the_end();
  }
  HostilePair pair;
  pair.peer.say(std::string("\x00\x0f\x42\x40", 4) + std::string(1'000'000, 'x'));
  EXPECT_EQ(pair.connection.recv_bytes().size(), 1'000'000U) << "the longest that is taken";
}

TEST(HostilePeer, ANegativeLengthEndsTheConnection) {
  HostilePair pair;
  pair.peer.say(std::string("\xff\xff\xff\xfe", 4));
  EXPECT_NE(text_of<mp::DecodeError>([&] { (void)pair.connection.recv<int>(); }).find("-2"),
            std::string::npos);
  EXPECT_TRUE(pair.connection.closed());
}

TEST(HostilePeer, AnEndInTheMiddleOfAMessageIsNotTheEndOfTheFile) {
  for (const auto& begin :
       {std::string("\x00", 1), std::string("\x00\x00\x00\x05", 4),
        std::string("\x00\x00\x00\x05", 4) + "1234", std::string("\xff\xff\xff\xff\x00", 5)}) {
    HostilePair pair;
    pair.peer.say(begin);
    ::shutdown(pair.peer.socket(), SHUT_WR);
    EXPECT_NE(text_of<mp::DecodeError>([&] { (void)pair.connection.recv_bytes(); }).find("middle"),
              std::string::npos);
    EXPECT_TRUE(pair.connection.closed());
  }
}

TEST(HostilePeer, ALengthAloneTakesNoMemory) {
  const auto resident = [] {
    std::size_t size = 0;
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> size >> pages;
    return pages * 4096;
  };
  Listener listener;
  std::vector<RawPeer> peers;
  std::vector<Connection> connections;
  std::vector<std::thread> threads;
  const std::size_t before = resident();
  for (int i = 0; i < 16; ++i) {
    peers.emplace_back(listener.address());
    connections.push_back(listener.accept());
    peers.back().say(std::string("\x3f\xff\xff\xff", 4) + std::string(100'000, 'x'));
    threads.emplace_back([connection = connections.back()] {
      EXPECT_THROW((void)connection.recv_bytes(), mp::DecodeError);
    });
  }
  const auto all_read = [&] {
    return std::ranges::all_of(
        connections, [](const Connection& one) { return mp::wait({one.fileno()}, 0ns).empty(); });
  };
  process_test::wait_until(all_read);
  const std::size_t after = resident();
  EXPECT_LT(after, before + (std::size_t{64} << 20)) << "16 GiB were announced, 1.6 MB came";
  peers.clear();
  for (std::thread& thread : threads)
    thread.join();
}

TEST(HostilePeer, RandomBytesAreNeverMoreThanAnException) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  int values = 0;
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    HostilePair pair;
    std::vector<std::byte> message;
    if (round % 2 == 0) {
      mp::channel::write_value_head(message, mp::fingerprint<std::vector<std::string>>(),
                                    "std::vector<std::string>");
    }
    const std::size_t head = message.size();
    message.resize(head + random() % 60);
    for (std::size_t i = head; i < message.size(); ++i)
      message[i] = static_cast<std::byte>(random() % 3 == 0 ? random() : 0);
    if (round % 8 == 2) {
      message.resize(head);
      message.resize(head + 8);  // an empty vector
    } else if (round % 4 == 0) {
      message[random() % message.size()] ^= std::byte{1};
    }
    if (round % 5 == 0) {
      pair.peer.say(message);
    } else {
      pair.peer.say_frame({reinterpret_cast<const char*>(message.data()), message.size()});
    }
    ::shutdown(pair.peer.socket(), SHUT_WR);
    for (;;) {
      try {
        (void)pair.connection.recv<std::vector<std::string>>();
        ++values;
      } catch (const mp::EndOfFile&) {
        break;
      } catch (const mp::ProcessError&) {
        ++refused;
        if (pair.connection.closed()) break;
      }
    }
  }
  EXPECT_GT(values, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace channel_test
