// Servers for other programs: one that a client ends, messages that are larger than the other side
// takes, and what their objects take.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "manager/served_support.hpp"

namespace manager_test {
namespace {

using namespace std::chrono_literals;
using Ints = std::vector<int>;

/// Something whose methods end the server.
class Switch {
 public:
  explicit Switch(std::function<void()> end) : end_(std::move(end)) {}
  int turn_off() {
    end_();
    std::this_thread::sleep_for(20ms);  // the others see the end meanwhile
    return 42;
  }

 private:
  std::function<void()> end_;
};

TEST(EndOfAServer, ACallableThatAsksForItIsAnsweredFirst) {
  Serving server;
  std::atomic<bool> was_serving{false};
  server->register_callable("stop", [&] {
    server->shutdown();
    std::this_thread::sleep_for(20ms);
    was_serving = !server.returned();
    return std::string("good bye");
  });
  server.start();
  const mp::Manager other = server.connect();
  const auto list = other.list<int>({1});
  const mp::Manager manager = server.connect();
  EXPECT_EQ(manager.get<std::string>("stop"), "good bye");
  EXPECT_TRUE(was_serving) << "the program may end when serve_forever() returns";
  wait_until([&] { return server.returned(); });
  EXPECT_THROW(list.append(2), mp::ProcessError);
  EXPECT_THROW(manager.get<std::string>("stop"), mp::ProcessError);
}

TEST(EndOfAServer, AMethodThatAsksForItIsAnsweredFirst) {
  Serving server;
  Switch off([&] { server->shutdown(); });
  server->register_type<Switch>("Switch", mp::method<&Switch::turn_off>("turn_off"));
  server->register_callable("switch", [&]() -> Switch& { return off; });
  server.start();
  const mp::Manager manager = server.connect();
  EXPECT_EQ(manager.get<mp::Proxy<Switch>>("switch").call<int>("turn_off"), 42);
  wait_until([&] { return server.returned(); });
}

TEST(EndOfAServer, WhatACallableThrowsAfterItArrives) {
  Serving server;
  server->register_callable("stop", [&] {
    server->shutdown();
    throw std::domain_error("and yet");
  });
  server.start();
  EXPECT_THROW(server.connect().get<void>("stop"), std::domain_error);
  wait_until([&] { return server.returned(); });
}

mp::Manager* to_be_ended = nullptr;

class OwnSwitch {
 public:
  int turn_off() {
    to_be_ended->shutdown();
    return 42;
  }
};

// The server is a thread of the program that has the manager, so methods can come at it.
TEST(EndOfAServer, AMethodThatEndsTheManagerOfItsOwnThread) {
  mp::Manager manager({.start_method = StartMethod::thread});
  to_be_ended = &manager;
  const auto off = manager.create<OwnSwitch>();
  EXPECT_EQ(off.call<&OwnSwitch::turn_off>(), 42);
  EXPECT_THROW(off.call<&OwnSwitch::turn_off>(), mp::ProcessError);
}

TEST(FrameLimit, AnArgumentThatIsTooLargeForTheServer) {
  Serving server({"127.0.0.1", 0}, {.max_frame = 4096});
  server.start();
  const mp::Manager manager = server.connect();
  const auto list = manager.list<int>({1});
  const auto lock = manager.lock();
  lock.lock();
  const std::string text = text_of<mp::ProcessError>([&] { list.extend(Ints(10'000)); });
  EXPECT_NE(text.find("max_frame"), std::string::npos) << text;
  EXPECT_NE(text.find("4096"), std::string::npos) << text;
  EXPECT_NE(text.find("40"), std::string::npos) << text;
  EXPECT_EQ(list.size(), 1) << "the connection is as before";
  lock.unlock();
  EXPECT_THROW(static_cast<void>(manager.list<int>(Ints(10'000))), mp::ProcessError);
  EXPECT_EQ(manager.number_of_objects(), 2);
}

TEST(FrameLimit, AResultThatIsTooLargeForTheClient) {
  Serving server;
  server.start();
  const mp::Manager manager = server.connect({.max_frame = 4096});
  const auto list = manager.list<int>();
  const auto lock = manager.lock();
  lock.lock();
  for (int i = 0; i < 20; ++i)
    list.extend(Ints(500));
  const std::string text = text_of<mp::ProcessError>([&] { static_cast<void>(list.values()); });
  EXPECT_NE(text.find("max_frame"), std::string::npos) << text;
  EXPECT_NE(text.find("4096"), std::string::npos) << text;
  EXPECT_EQ(list.size(), 10'000) << "the connection is as before";
  lock.unlock();
}

TEST(RemoteValues, OperandsStayAsTheyAre) {
  Serving server;
  server.start();
  const mp::Manager manager = server.connect();
  const auto number = manager.value<int>(2);
  EXPECT_EQ(number += 1.5, 3);
  EXPECT_EQ(number -= 0.5F, 2);
  EXPECT_EQ(number += 1, 3);
  EXPECT_EQ(number += 'a', 100);
  EXPECT_EQ(number -= 99UL, 1);
  EXPECT_EQ(number += true, 2);
  const auto real = manager.value<double>(1);
  EXPECT_EQ(real += 1, 2);
  EXPECT_EQ(real -= 0.5, 1.5);
  const auto text = manager.value<std::string>("a");
  EXPECT_EQ(text += "b", "ab");
  EXPECT_THROW(text += 'c', mp::TypeMismatch) << "the server knows no such operator";
}

TEST(RemoteContainers, AnyRangeAndOtherProxies) {
  Serving server;
  server.start();
  const mp::Manager manager = server.connect();
  const auto list = manager.list<int>(std::views::iota(0, 3));
  list.extend(list);
  const mp::Manager near;
  list.extend(near.list<int>({7}));
  EXPECT_EQ(list.values(), (Ints{0, 1, 2, 0, 1, 2, 7}));
}

}  // namespace
}  // namespace manager_test
