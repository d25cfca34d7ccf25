// Listener and Client between programs of this library: addresses, time-outs, waiting, values.

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <thread>

#include "channel/listener_support.hpp"
#include "channel/support.hpp"
#include "procession/lock.hpp"
#include "procession/queue.hpp"

namespace channel_test {
namespace {

using namespace std::chrono_literals;
using mp::Address;
using mp::Connection;
using mp::Listener;
using process_test::text_of;

class Addresses : public testing::TestWithParam<const char*> {
 protected:
  static Address address() {
    const std::string kind = GetParam();
    if (kind == "Tcp") return {"127.0.0.1", 0};
    if (kind == "TcpByName") return {"localhost", 0};
    if (kind == "Unix") return {fresh_path()};
    return {"@procession-test-" + std::to_string(::getpid())};
  }
};
INSTANTIATE_TEST_SUITE_P(Of, Addresses, testing::Values("Tcp", "TcpByName", "Unix", "Abstract"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(Addresses, MessagesGoBothWays) {
  addrinfo* found = nullptr;
  if (address().host == "localhost" && ::getaddrinfo("localhost", nullptr, nullptr, &found) != 0) {
    GTEST_SKIP() << "this machine, a bare one, does not know the name localhost";
  }
  if (found != nullptr) ::freeaddrinfo(found);
  for (const auto& key : {std::optional<mp::AuthKey>(), std::optional(key_of("secret"))}) {
    Listener listener(address(), {.authkey = key});
    auto [mine, its] = meet(listener, key);
    mine.send_bytes(bytes_of("one"));
    mine.send_bytes(bytes_of(""));
    its.send(std::map<std::string, std::vector<int>>{{"a", {1, 2}}});
    EXPECT_EQ(its.recv_bytes(), bytes_of("one"));
    EXPECT_EQ(its.recv_bytes(), bytes_of(""));
    EXPECT_EQ((mine.recv<std::map<std::string, std::vector<int>>>().at("a")), (std::vector{1, 2}));
    const std::string large(3'000'000, 'x');
    std::thread sender([&] { mine.send(large); });
    EXPECT_EQ(its.recv<std::string>(), large);
    sender.join();
    its.close();
    EXPECT_THROW(mine.recv<int>(), mp::EndOfFile);
    EXPECT_THROW((void)mine.recv_bytes(), mp::EndOfFile) << "again";
  }
}

TEST(Listener, TellsWhereItListensAndWhoCame) {
  Listener listener;
  EXPECT_EQ(listener.address().host, "127.0.0.1") << "no other host can reach it by default";
  EXPECT_NE(listener.address().port, 0);
  EXPECT_EQ(listener.last_accepted(), std::nullopt);
  auto [mine, its] = meet(listener);
  ASSERT_TRUE(listener.last_accepted());
  EXPECT_EQ(listener.last_accepted()->host, "127.0.0.1");
  EXPECT_NE(listener.last_accepted()->port, listener.address().port);
  EXPECT_EQ(to_string(listener.address()), "127.0.0.1:" + std::to_string(listener.address().port));
  Listener local(Address{fresh_path()});
  auto ends = meet(local);
  EXPECT_EQ(local.last_accepted(), std::nullopt);
}

TEST(Listener, IPv6IsTakenWhereTheHostHasIt) {
  try {
    Listener listener({"::1", 0});
    auto [mine, its] = meet(listener);
    mine.send(1);
    EXPECT_EQ(its.recv<int>(), 1);
    EXPECT_EQ(listener.last_accepted()->host, "::1");
  } catch (const mp::ProcessError& error) {
    GTEST_SKIP() << "no IPv6 here: " << error.what();
  }
}

TEST(Listener, AcceptsWithATimeOut) {
  Listener listener;
  EXPECT_THROW((void)listener.accept(0ns), mp::TimeoutError);
  EXPECT_THROW((void)listener.accept(5ms), mp::TimeoutError);
  EXPECT_THROW((void)listener.accept(-1ns), mp::TimeoutError);
  const Connection client = mp::Client(listener.address());
  const Connection connection = listener.accept(1h);
  client.send(7);
  EXPECT_EQ(connection.recv<int>(), 7);
}

TEST(Listener, AnAcceptEndsWhenAnotherThreadCloses) {
  for (int round = 0; round < 20; ++round) {
    Listener listener(Address{}, {.authkey = key_of("k")});
    std::atomic<bool> begun = false;
    auto text = std::async(std::launch::async, [&] {
      begun = true;
      return text_of<mp::ProcessError>([&] { (void)listener.accept(); });
    });
    while (!begun) {
    }
    listener.close();
    EXPECT_NE(text.get().find("closed"), std::string::npos);
    listener.close();
    EXPECT_THROW((void)listener.accept(), mp::ProcessError);
  }
}

TEST(Listener, APortIsFreeAgainAfterClose) {
  Listener first;
  const Address address = first.address();
  const std::string text = text_of<mp::ProcessError>([&] { Listener second(address); });
  EXPECT_NE(text.find("another listener"), std::string::npos) << text;
  auto ends = meet(first);
  first.close();
  Listener second(address);
  auto again = meet(second);
  again.first.send(1);
  EXPECT_EQ(again.second.recv<int>(), 1);
  ends.first.send(2);
  EXPECT_EQ(ends.second.recv<int>(), 2) << "what was accepted stays";
}

TEST(Listener, RemovesItsOwnFileAndNoOther) {
  const std::string path = fresh_path();
  {
    Listener listener(Address{path});
    EXPECT_TRUE(std::filesystem::is_socket(path));
    EXPECT_THROW(Listener(Address{path}), mp::ProcessError);
    EXPECT_TRUE(std::filesystem::is_socket(path)) << "the refused one must not remove it";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  {
    Listener listener(Address{path});
    std::filesystem::remove(path);
    std::ofstream(path) << "somebody else's";
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_THROW(Listener(Address{path}), mp::ProcessError);
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
  {
    Listener listener(Address{path});
    if (const pid_t child = ::fork(); child == 0) {
      listener.close();
      ::_exit(0);
    } else {
      int status = 0;
      ::waitpid(child, &status, 0);
    }
    EXPECT_TRUE(std::filesystem::is_socket(path)) << "it is not the child's";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Listener, IsNotDisturbedByAForkOfItsProcess) {
  Listener listener(Address{}, {.authkey = key_of("k")});
  if (const pid_t child = ::fork(); child == 0) {
    int failures = 0;
    try {
      (void)listener.accept();
      ++failures;
    } catch (const mp::ProcessError&) {
    }
    listener.close();
    ::_exit(failures);
  } else {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  auto [mine, its] = meet(listener, key_of("k"));
  mine.send(1);
  EXPECT_EQ(its.recv<int>(), 1);
}

TEST(Listener, RefusesWhatIsNoAddressOrOption) {
  EXPECT_THROW(Listener(Address{"/" + std::string(200, 'x')}), std::invalid_argument);
  EXPECT_THROW(Listener(Address{"@"}), std::invalid_argument);
  EXPECT_THROW(Listener(Address{"/tmp/x", 1}), std::invalid_argument);
  EXPECT_THROW(Listener(Address{"no such host."}), mp::ProcessError);
  EXPECT_THROW(Listener(Address{"192.0.2.1", 0}), mp::ProcessError) << "of documentation only";
  EXPECT_THROW(Listener(Address{}, {.authkey = mp::AuthKey()}), std::invalid_argument);
  EXPECT_THROW(Listener(Address{}, {.handshake_timeout = 0ns}), std::invalid_argument);
  EXPECT_THROW(Listener(Address{}, {.max_handshakes = 0}), std::invalid_argument);
}

TEST(Client, SaysWhenNobodyListens) {
  Address address;
  {
    const Listener listener;
    address = listener.address();
  }
  const std::string text = text_of<mp::ProcessError>([&] { (void)mp::Client(address); });
  EXPECT_NE(text.find(to_string(address)), std::string::npos) << text;
  EXPECT_NE(text.find("Listener first"), std::string::npos) << text;
  EXPECT_THROW((void)mp::Client({fresh_path()}), mp::ProcessError);
  EXPECT_THROW((void)mp::Client({"@procession-nobody"}), mp::ProcessError);
}

TEST(Client, ItsTimeOutCoversTheProof) {
  Listener listener(Address{}, {.authkey = key_of("k")});  // and nobody in accept()
  EXPECT_THROW((void)mp::Client(listener.address(), {.authkey = key_of("k"), .timeout = 20ms}),
               mp::TimeoutError);
}

TEST(Wait, IsForListenersToo) {
  Listener plain;
  Listener guarded(Address{}, {.authkey = key_of("k")});
  auto [first, second] = mp::Pipe();
  using Ready = std::vector<std::size_t>;
  EXPECT_EQ(mp::wait({plain, guarded, second}, 0ns), Ready{});
  const Connection client = mp::Client(plain.address());
  EXPECT_EQ(mp::wait({guarded, plain, second}), Ready{1});
  EXPECT_EQ(mp::wait({guarded, plain, second}), Ready{1}) << "still";
  const Connection accepted = plain.accept(0ns);
  EXPECT_EQ(mp::wait({guarded, plain, second}, 0ns), Ready{});
  // The proof goes on while somebody waits; only then is there something to accept.
  std::thread other(
      [&] { mp::Client(guarded.address(), {.authkey = key_of("k")}).send(std::string("hello")); });
  EXPECT_EQ(mp::wait({plain, guarded, accepted}), Ready{1});
  const Connection proved = guarded.accept(0ns);
  EXPECT_EQ(mp::wait({proved, plain, guarded}), Ready{0});
  EXPECT_EQ(proved.recv<std::string>(), "hello");
  EXPECT_EQ(mp::wait({proved}), Ready{0}) << "the end of file";
  other.join();
  plain.close();
  EXPECT_THROW((void)mp::wait({plain, guarded}), mp::ProcessError);
}

TEST(NetworkConnection, AnotherTypeIsRefusedByNameAndTheNextMessageCanBeHad) {
  Listener listener;
  auto [mine, its] = meet(listener);
  mine.send(1);
  mine.send(2.5);
  mine.send_bytes(bytes_of("raw"));
  mine.send(3);
  const std::string text = text_of<mp::TypeMismatch>([&] { (void)its.recv<std::string>(); });
  EXPECT_NE(text.find("int"), std::string::npos) << text;
  EXPECT_THROW((void)its.recv_bytes(), mp::TypeMismatch);
  EXPECT_NE(text_of<mp::TypeMismatch>([&] { (void)its.recv<int>(); }).find("bytes"),
            std::string::npos);
  EXPECT_EQ(its.recv<int>(), 3);
}

TEST(NetworkConnection, HandlesAndFunctionsDoNotLeaveTheTree) {
  Listener listener;
  auto [mine, its] = meet(listener);
  EXPECT_THROW(mine.send(mp::Queue<int>()), mp::ProcessError);
  EXPECT_THROW(mine.send(mp::Lock()), mp::ProcessError);
  EXPECT_THROW(mine.send(its), mp::ProcessError);
  EXPECT_THROW(mine.send(mp::Pipe().first), mp::ProcessError);
  const std::string text = text_of<mp::ProcessError>(
      [&] { mine.send(mp::Function<int(int)>([](int x) { return x; })); });
  EXPECT_NE(text.find("no code address ever crosses a network"), std::string::npos) << text;
  int captured = 5;
  EXPECT_THROW(mine.send(mp::Function<int()>([captured] { return captured; })), mp::ProcessError);
  mine.send(1);
  EXPECT_EQ(its.recv<int>(), 1) << "nothing of the refused ones was sent";
}

/// What a hostile program sends: the encoding of `value`, as a sender within the tree writes it.
template <class T>
void forge(const Connection& to, const T& value) {
  const mp::Queue<T> names;  // holds what the value names
  names.put(value);
  class Careless final : public mp::Encoder {
   public:
    Careless() : mp::Encoder(bytes_, bytes_ + sizeof bytes_) {}
    void attach(std::uint64_t) override {}

   private:
    void grow(std::size_t) override { std::abort(); }
    std::byte bytes_[512];
  } encoder;
  mp::encode(encoder, value);
  std::vector<std::byte> message;
  mp::channel::write_value_head(message, mp::fingerprint<T>(), mp::type_name<T>());
  message.insert(message.end(), encoder.bytes().begin(), encoder.bytes().end());
  to.send_bytes(message);
}

TEST(NetworkConnection, ForgedHandlesAndFunctionsAreRefusedByTheReceiver) {
  Listener listener;
  auto [mine, its] = meet(listener);
  forge(mine, mp::Queue<int>());
  EXPECT_THROW((void)its.recv<mp::Queue<int>>(), mp::DecodeError);
  forge(mine, mp::Lock());
  EXPECT_THROW((void)its.recv<mp::Lock>(), mp::DecodeError);
  forge(mine, mp::Pipe().first);
  EXPECT_THROW((void)its.recv<Connection>(), mp::DecodeError);
  forge(mine, mp::Function<int(int)>([](int x) { return x; }));
  EXPECT_THROW((void)its.recv<mp::Function<int(int)>>(), mp::DecodeError);
  mine.send(1);
  EXPECT_EQ(its.recv<int>(), 1);
}

TEST(NetworkConnection, BufferTooShortCarriesTheMessage) {
  Listener listener;
  auto [mine, its] = meet(listener);
  for (const std::size_t size : {10U, 10'000U}) {
    const std::string message(size, 'm');
    std::vector<std::byte> room(size);
    mine.send_bytes(bytes_of(message));
    EXPECT_EQ(its.recv_bytes_into(room), size);
    EXPECT_EQ(room, bytes_of(message));
    for (int i = 0; i < 2; ++i) {
      mine.send_bytes(bytes_of(message));
      try {
        if (i == 0) {
          (void)its.recv_bytes(size - 1);
        } else {
          (void)its.recv_bytes_into(std::span(room).first(size - 1));
        }
        ADD_FAILURE() << "no exception";
      } catch (const mp::BufferTooShort& error) {
        EXPECT_TRUE(std::ranges::equal(error.message(), bytes_of(message)));
      }
    }
    mine.send_bytes(bytes_of(message));
    EXPECT_EQ(its.recv_bytes(size).size(), size);
  }
}

TEST(NetworkConnection, PollAndFilenoTellOfMessages) {
  Listener listener;
  auto [mine, its] = meet(listener);
  EXPECT_FALSE(its.poll());
  EXPECT_FALSE(its.poll(2ms));
  const int descriptor = its.fileno();
  const auto readable = [&] { return !mp::wait({descriptor}, 0ns).empty(); };
  EXPECT_FALSE(readable());
  mine.send(1);
  mine.send(2);
  EXPECT_TRUE(its.poll(1h));
  EXPECT_EQ(its.recv<int>(), 1);
  EXPECT_TRUE(its.poll(1h));
  EXPECT_TRUE(readable()) << "nothing of the second was read ahead";
  EXPECT_EQ(its.recv<int>(), 2);
  EXPECT_FALSE(readable());
  mine.close();
  EXPECT_TRUE(its.poll(1h)) << "the end of file";
}

TEST(NetworkConnection, MessagesOfSeveralThreadsDoNotMix) {
  Listener listener;
  auto [mine, its] = meet(listener);
  constexpr int kEach = 400;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        mine.send(std::string(static_cast<std::size_t>(i * 37 % 9000), static_cast<char>('a' + t)));
    });
  }
  std::atomic<int> received = 0;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3 * kEach / 2; ++i) {
        const auto text = its.recv<std::string>();
        EXPECT_EQ(text.find_first_not_of(text.empty() ? 'a' : text[0]), std::string::npos);
        ++received;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(received, 3 * kEach);
}

TEST(NetworkConnection, ACallThatWaitsEndsWhenAnotherThreadCloses) {
  Listener listener;
  auto [mine, its] = meet(listener);
  std::atomic<bool> begun = false;
  auto text = std::async(std::launch::async, [&] {
    begun = true;
    return text_of<mp::ProcessError>([&] { (void)mine.recv<int>(); });
  });
  while (!begun) {
  }
  std::this_thread::sleep_for(20ms);
  mine.close();
  EXPECT_NE(text.get().find("closed"), std::string::npos);
}

TEST(CurrentAuthkey, IsTheSameInTheWholeTreeAndIsRandom) {
  const mp::AuthKey key = mp::current_authkey();
  EXPECT_EQ(key.size(), 32U);
  EXPECT_NE(key, mp::AuthKey(32));
  EXPECT_EQ(key, mp::current_authkey());
  for (const auto method : {mp::StartMethod::forkserver, mp::StartMethod::spawn}) {
    const mp::Queue<mp::AuthKey> queue;
    auto child = process_test::started(
        method, [](const mp::Queue<mp::AuthKey>& keys) { keys.put(mp::current_authkey()); }, queue);
    EXPECT_EQ(queue.get(), key);
    child.join();
  }
}

}  // namespace
}  // namespace channel_test
