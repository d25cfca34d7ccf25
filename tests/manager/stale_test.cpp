// Proxies of objects of another program that outlive the object: its server was started anew, or
// the session was lost with all its connections. They never name what came later.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "manager/served_support.hpp"

namespace manager_test {
namespace {

using namespace std::chrono_literals;
using Ints = std::vector<int>;

/// That `stale` names nothing any more, and least of all the `fresh` object, of which there is one.
void expect_stale(const mp::Manager& manager, mp::ListProxy<int>& stale,
                  const mp::ListProxy<int>& fresh) {
  const Ints before = fresh.values();
  EXPECT_NE(stale, fresh);
  EXPECT_NE(text_of<mp::ProcessError>([&] { stale.append(3); }).find("get a new proxy"),
            std::string::npos);
  EXPECT_EQ(fresh.values(), before);
  stale = {};
  EXPECT_EQ(manager.number_of_objects(), 1);
  EXPECT_EQ(fresh.values(), before) << "dropping the one does not drop the other";
}

TEST(StaleProxy, OfAServerThatWasStartedAnew) {
  auto first = std::make_unique<Serving>();
  first->start();
  const mp::Address address = first->address();
  const mp::Manager manager = first->connect();
  auto stale = manager.list<int>({1});
  const auto copy = stale;
  first.reset();
  Serving second(address);
  second.start();
  EXPECT_THROW(stale.append(2), mp::ProcessError);
  const auto fresh = manager.list<int>({5});
  expect_stale(manager, stale, fresh);
  EXPECT_THROW(copy.append(2), mp::ProcessError);
  EXPECT_EQ(manager.list<int>({6}).values(), (Ints{6}));
  EXPECT_EQ(manager.number_of_objects(), 1);
}

TEST(StaleProxy, OfASessionThatWasLost) {
  Serving server;
  server.start();
  Cable cable(server.address());
  const mp::Manager manager = mp::Manager::connect(cable.address(), Serving::key());
  auto stale = manager.list<int>({1});
  const auto counted = manager.create<Counted>(1);
  EXPECT_EQ(counted.call<int>("add", 1), 2);
  cable.cut_from(0);
  wait_until([] { return Counted::alive == 0; });  // the server has seen the end
  EXPECT_THROW(stale.append(2), mp::ProcessError);
  const auto fresh = manager.list<int>({5});
  EXPECT_THROW(counted.call<int>("add", 1), mp::ProcessError);
  expect_stale(manager, stale, fresh);
}

// The connection that keeps the session was lost with the others; one takes its place with the
// first call.
TEST(StaleProxy, ASessionThatBeganAnewOutlivesTheThreadThatBeganIt) {
  auto first = std::make_unique<Serving>();
  first->start();
  const mp::Address address = first->address();
  const mp::Manager manager = first->connect();
  first.reset();
  Serving second(address);
  second.start();
  mp::ListProxy<int> list;
  std::thread([&] { list = manager.list<int>({1}); }).join();
  EXPECT_EQ(list.values(), (Ints{1}));
  mp::Manager ended = mp::Manager::connect(address, Serving::key());
  ended.shutdown();
  EXPECT_THROW(static_cast<void>(ended.list<int>()), mp::ProcessError);
}

/// Cannot be sent, which shows as it is encoded.
struct Refusing {
  friend void encode(mp::Encoder& /*encoder*/, const Refusing& /*value*/) {
    throw std::domain_error("cannot be sent");
  }
  friend void decode(mp::Decoder& /*decoder*/, Refusing& /*value*/) {}
};

TEST(GivenBack, AfterACallThatFailsWhileItIsEncoded) {
  Serving server;
  server->register_callable("take", [](const Refusing& /*what*/) { return 1; });
  server->register_callable("nothing", [] { return 1; });
  server.start();
  const mp::Manager manager = server.connect();
  for (int i = 0; i < 3; ++i)
    static_cast<void>(manager.create<Counted>(i));
  EXPECT_THROW(manager.get<int>("take", Refusing()), std::domain_error);
  EXPECT_EQ(manager.get<int>("nothing"), 1);
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(manager.number_of_objects(), 0);
}

TEST(GivenBack, AfterACallThatIsTooLarge) {
  Serving server({"127.0.0.1", 0}, {.max_frame = 4096});
  server.start();
  const mp::Manager manager = server.connect();
  const auto list = manager.list<int>();
  static_cast<void>(manager.create<Counted>(1));
  EXPECT_THROW(list.extend(Ints(10'000)), mp::ProcessError);
  EXPECT_EQ(list.size(), 0);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(GivenBack, ManyAtATime) {
  Serving server({"127.0.0.1", 0}, {.max_frame = 1024});
  server.start();
  const mp::Manager manager = server.connect();
  std::vector<mp::Proxy<Counted>> all;
  for (int i = 0; i < 500; ++i)
    all.push_back(manager.create<Counted>(i));
  EXPECT_EQ(manager.number_of_objects(), 500);
  all.clear();
  EXPECT_EQ(manager.number_of_objects(), 0);
  EXPECT_EQ(Counted::alive, 0);
}

/// One connection of a session ends while an object is made for it; the proxy never comes to be.
class LostReply : public testing::Test {
 protected:
  LostReply() {
    server_->register_callable("late", [this] {
      ++begun_;
      wait_until([&] { return go_.load(); });
      auto made = std::make_shared<Counted>(1);
      ++made_;
      return made;
    });
    server_.start();
  }
  ~LostReply() override { go_ = true; }

  /// Returns when the client knows that the call is lost.
  void lose(Cable& cable, const mp::Manager& manager) {
    const auto kept = manager.create<Counted>(0);
    const std::size_t before = cable.count();
    std::thread caller([&] {
      EXPECT_THROW(static_cast<void>(manager.get<mp::Proxy<Counted>>("late")), mp::EndOfFile);
    });
    wait_until([&] { return begun_ == 1; });
    cable.cut_from(before);
    caller.join();
  }

  /// Lets the server make the object for which nobody waits any more.
  void go_on() {
    go_ = true;
    wait_until([&] { return made_ == 1; });
    std::this_thread::sleep_for(20ms);  // most likely it has been kept by now, if it is
  }

  std::atomic<int> begun_{0};
  std::atomic<int> made_{0};
  std::atomic<bool> go_{false};
  Serving server_;
};

TEST_F(LostReply, TheObjectGoesWithTheNextCall) {
  Cable cable(server_.address());
  const mp::Manager manager = mp::Manager::connect(cable.address(), Serving::key());
  lose(cable, manager);
  go_on();
  wait_until([&] { return manager.number_of_objects() == 0 && Counted::alive == 0; });
}

TEST_F(LostReply, TheObjectThatIsGivenBackBeforeItIsThereIsNotKept) {
  Cable cable(server_.address());
  const mp::Manager manager = mp::Manager::connect(cable.address(), Serving::key());
  lose(cable, manager);
  EXPECT_EQ(manager.number_of_objects(), 0);
  go_on();
  wait_until([] { return Counted::alive == 0; });
  EXPECT_EQ(manager.number_of_objects(), 0);
}

}  // namespace
}  // namespace manager_test
