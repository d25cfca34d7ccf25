// Managers of other programs: what is registered, types that differ, clients and servers that go.

#include <signal.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "channel/listener_support.hpp"
#include "channel/tls_support.hpp"
#include "manager/support.hpp"
#include "procession/manager_server.hpp"

namespace manager_test {
namespace {

using namespace std::chrono_literals;
using channel_test::key_of;
using process_test::Board;
using process_test::board;
using process_test::sleep_for_ever;

class Account {
 public:
  explicit Account(int total = 0) : total_(total) {}
  int add(int n) { return total_ += n; }
  [[nodiscard]] int total() const noexcept { return total_; }
  void set_name(std::string_view name) { name_ = name; }
  [[nodiscard]] const std::string& name() const { return name_; }
  void fail() const { throw std::domain_error("no"); }

 private:
  int total_;
  std::string name_;
};

int doubled(const Account& counter) { return 2 * counter.total(); }

/// A server in a thread of this process, with a bit of everything.
class Remote : public testing::Test {
 protected:
  Remote() {
    server_.register_type<Account>(
        "Account", mp::constructor<int>(), mp::constructor<>(), mp::method<&Account::add>("add"),
        mp::method<&Account::total>("total"), mp::method<&Account::set_name>("set_name"),
        mp::method<&Account::name>("name"), mp::method<&Account::fail>("fail"),
        mp::method<&doubled>("twice"));
    server_.register_callable("the_counter", [this]() -> Account& { return counter_; });
    server_.register_callable("sum", [](int a, const std::vector<int>& more) {
      for (int x : more)
        a += x;
      return a;
    });
    server_.share<mp::QueueProxy<std::string>>("jobs");
    server_.share<mp::LockProxy>("lock");
    server_.share<mp::BarrierProxy>("barrier", std::size_t{2});
    server_.register_type<mp::DictProxy<std::string, int>>("Scores");
    server_.register_type<mp::ListProxy<int>>("Numbers");
    thread_ = std::thread([this] { server_.serve_forever(); });
  }
  ~Remote() override {
    server_.shutdown();
    thread_.join();
  }

  [[nodiscard]] mp::Manager connect() const {
    return mp::Manager::connect(server_.address(), key_);
  }

  mp::AuthKey key_ = key_of("secret");
  mp::ManagerServer server_{{"127.0.0.1", 0}, key_};
  Account counter_{100};
  std::thread thread_;
};

TEST_F(Remote, RegisteredTypesAndFunctions) {
  const mp::Manager manager = connect();
  EXPECT_EQ(manager.address(), server_.address());
  const auto counter = manager.get<mp::Proxy<Account>>("Account", 10);
  EXPECT_EQ(counter.call<int>("add", 3), 13);
  EXPECT_EQ(counter.call<int>("twice"), 26);
  counter.call("set_name", "bob");
  EXPECT_EQ(counter.call<std::string>("name"), "bob");
  EXPECT_EQ(manager.get<mp::Proxy<>>("Account").call<int>("total"), 0);
  EXPECT_EQ(manager.create<Account>(4).call<int>("total"), 4);
  EXPECT_EQ(manager.get<int>("sum", 1, std::vector<int>{2, 3}), 6);
  EXPECT_THROW(counter.call("fail"), std::domain_error);
  EXPECT_EQ(counter.call<int>("total"), 13);
  EXPECT_EQ(manager.get<mp::Proxy<Account>>("the_counter").call<int>("add", 1), 101);
  EXPECT_EQ(connect().get<mp::Proxy<Account>>("the_counter").call<int>("add", 1), 102);
  EXPECT_EQ(counter_.total(), 102);
}

TEST_F(Remote, WhatIsNotRegisteredIsRefused) {
  const mp::Manager manager = connect();
  const auto counter = manager.get<mp::Proxy<Account>>("Account", 10);
  EXPECT_NE(text_of<mp::ProcessError>([&] { counter.call("drop"); }).find("\"drop\""),
            std::string::npos);
  EXPECT_NE(text_of<mp::ProcessError>([&] { manager.get<mp::Proxy<>>("Bank"); }).find("Account"),
            std::string::npos)
      << "the text names what there is";
  EXPECT_THROW(counter.call<&Account::add>(3), mp::ProcessError);
  EXPECT_THROW(manager.get<int>("nothing"), mp::ProcessError);
  EXPECT_THROW(static_cast<void>(manager.ns()), mp::ProcessError);
  EXPECT_THROW(static_cast<void>(manager.list<double>()), mp::ProcessError);
  EXPECT_THROW(server_.register_type<Account>("Other"), mp::ProcessError);
  EXPECT_THROW(mp::Queue<mp::Proxy<Account>>().put(counter), mp::ProcessError);
  mp::ManagerServer other({"127.0.0.1", 0}, key_);
  other.register_type<Account>("Account");
  EXPECT_THROW(other.register_callable("Account", [] { return 1; }), std::invalid_argument);
}

TEST_F(Remote, TypesAreComparedOnBothSides) {
  const mp::Manager manager = connect();
  const auto counter = manager.get<mp::Proxy<Account>>("Account", 10);
  const std::string text = text_of<mp::TypeMismatch>([&] { counter.call<int>("add", 3.5); });
  EXPECT_NE(text.find("double"), std::string::npos) << text;
  EXPECT_NE(text.find("int"), std::string::npos) << text;
  EXPECT_NE(text.find("add"), std::string::npos) << text;
  EXPECT_THROW(counter.call<double>("add", 3), mp::TypeMismatch);
  EXPECT_THROW(counter.call<int>("add"), mp::TypeMismatch);
  EXPECT_THROW(manager.get<mp::Proxy<Account>>("Account", "ten"), mp::TypeMismatch);
  EXPECT_THROW(manager.get<mp::LockProxy>("Account", 10), mp::TypeMismatch);
  EXPECT_THROW(manager.get<mp::QueueProxy<int>>("jobs"), mp::TypeMismatch);
  EXPECT_THROW(manager.get<mp::Proxy<>>("sum", 1, std::vector<int>{}), mp::TypeMismatch);
  EXPECT_EQ(counter.call<int>("add", 3), 13);
}

TEST_F(Remote, TypesThatDifferAreToldAsUsersKnowThem) {
  const mp::Manager manager = connect();
  const auto counter = manager.get<mp::Proxy<Account>>("Account", 10);
  const auto expect = [](const char* part, const auto& act) {
    const std::string text = text_of<mp::ProcessError>(act);
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect("gives int, and double was asked for", [&] { counter.call<double>("total"); });
  expect("as in call<int>(...)", [&] { counter.call("add", 3); });
  expect("ask for the proxy of that", [&] { manager.get<int>("jobs"); });
  expect("QueueProxy<int>", [&] { manager.get<mp::QueueProxy<int>>("jobs"); });
  expect("call register_type<", [&] { (void)manager.dict<int, int>(); });
  expect("connected to another program", [&] { (void)manager.pid(); });
}

TEST_F(Remote, ProxiesOfOneObjectAreEqual) {
  const mp::Manager manager = connect();
  const auto one = manager.get<mp::Proxy<Account>>("the_counter");
  EXPECT_EQ(one, manager.get<mp::Proxy<Account>>("the_counter"));
  EXPECT_NE(one, manager.get<mp::Proxy<Account>>("Account"));
  EXPECT_NE(one, mp::Proxy<Account>());
  EXPECT_EQ(manager.get<mp::QueueProxy<std::string>>("jobs"),
            manager.get<mp::QueueProxy<std::string>>("jobs"));
}

TEST_F(Remote, TheTypesThatAManagerKnows) {
  const mp::Manager manager = connect();
  const auto scores = manager.get<mp::DictProxy<std::string, int>>("Scores");
  scores.set("a", 1);
  scores.update({{"b", 2}});
  EXPECT_EQ(scores.get("b"), 2);
  EXPECT_THROW(scores.get("c"), mp::KeyError);
  EXPECT_EQ(scores.keys(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((manager.dict<std::string, int>({{"x", 1}}).size()), 1);
  const auto list = manager.list<int>({1, 2, 3});
  int sum = 0;
  for (int x : list)
    sum += x;
  EXPECT_EQ(sum, 6);
  const auto jobs = manager.get<mp::QueueProxy<std::string>>("jobs");
  jobs.put("one");
  EXPECT_EQ(connect().get<mp::QueueProxy<std::string>>("jobs").get(), "one");
  EXPECT_THROW(jobs.get(10ms), mp::Empty);
  const auto lock = manager.get<mp::LockProxy>("lock");
  {
    const std::scoped_lock guard(lock);
    std::thread([&] { EXPECT_FALSE(manager.get<mp::LockProxy>("lock").try_lock()); }).join();
  }
  EXPECT_TRUE(manager.lock().try_lock());
  EXPECT_EQ(manager.semaphore(3).value(), 3);
  EXPECT_FALSE(manager.event().is_set());
  const auto barrier = manager.get<mp::BarrierProxy>("barrier");
  std::thread other([&] { barrier.wait(); });
  barrier.wait();
  other.join();
  EXPECT_TRUE(manager.condition().try_lock());
  EXPECT_TRUE(manager.rlock().try_lock());
}

TEST_F(Remote, ObjectsLiveAsLongAsTheirProxies) {
  const mp::Manager manager = connect();
  {
    const auto one = manager.get<mp::Proxy<Account>>("Account", 1);
    const auto copy = one;
    const auto shared = manager.get<mp::Proxy<Account>>("the_counter");
    const auto again = manager.get<mp::Proxy<Account>>("the_counter");
    EXPECT_EQ(manager.number_of_objects(), 2);
    EXPECT_EQ(connect().number_of_objects(), 0) << "other clients have theirs";
  }
  EXPECT_EQ(manager.number_of_objects(), 0);
}

TEST_F(Remote, AClientWithAnotherKeyIsRefused) {
  EXPECT_THROW(static_cast<void>(mp::Manager::connect(server_.address(), key_of("guess"))),
               mp::AuthenticationError);
  EXPECT_EQ(connect().get<int>("sum", 1, std::vector<int>{}), 1);
}

TEST_F(Remote, ALockIsFreeWhenItsOwnerIsKilled) {
  const Board<std::atomic<int>> ready;
  mp::Process process(
      [](const mp::Address& address, const mp::AuthKey& key, std::uint64_t place) {
        const mp::Manager manager = mp::Manager::connect(address, key);
        const auto lock = manager.get<mp::LockProxy>("lock");
        lock.lock();
        const auto jobs = manager.get<mp::QueueProxy<std::string>>("jobs");
        board<std::atomic<int>>(place) = 1;
        jobs.get();  // for ever
      },
      server_.address(), key_, ready.place());
  process.start();
  wait_until([&] { return *ready == 1; });
  const mp::Manager manager = connect();
  const auto lock = manager.get<mp::LockProxy>("lock");
  EXPECT_FALSE(lock.try_lock());
  process.kill();
  process.join();
  lock.lock();
  EXPECT_TRUE(lock.owner_died());
  lock.unlock();
  const auto jobs = manager.get<mp::QueueProxy<std::string>>("jobs");
  jobs.put("kept");
  EXPECT_EQ(jobs.get(), "kept") << "the dead one does not take it";
}

TEST_F(Remote, AForkHasToConnectAnew) {
  const mp::Manager manager = connect();
  const auto counter = manager.get<mp::Proxy<Account>>("Account", 1);
  mp::Process process({.start_method = StartMethod::fork}, [&] {
    try {
      counter.call<int>("total");
    } catch (const mp::ProcessError&) {
      std::_Exit(7);
    }
  });
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 7);
  EXPECT_EQ(counter.call<int>("total"), 1);
}

// Threads that drop proxies, and call, have the mutex of their session most of the time.
TEST_F(Remote, AForkBesideThreadsThatUseTheSessionGoesOn) {
  const mp::Manager manager = connect();
  const auto counter = manager.get<mp::Proxy<Account>>("the_counter");
  std::atomic<bool> end{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!end)
        static_cast<void>(manager.get<mp::Proxy<Account>>("the_counter"));
    });
  }
  for (int round = 0; round < 50; ++round) {
    mp::Process process({.start_method = StartMethod::fork}, [&] {
      auto own = counter;
      own = {};
      try {
        counter.call<int>("total");
      } catch (const mp::ProcessError&) {
        std::_Exit(7);
      }
    });
    process.start();
    process.join();
    EXPECT_EQ(process.exitcode(), 7);
  }
  end = true;
  for (std::thread& thread : threads)
    thread.join();
}

TEST_F(Remote, ASlowCallDoesNotHoldUpOthers) {
  const mp::Manager manager = connect();
  const auto jobs = manager.get<mp::QueueProxy<std::string>>("jobs");
  std::thread waiter([&] { EXPECT_EQ(jobs.get(), "late"); });
  EXPECT_EQ(manager.get<int>("sum", 2, std::vector<int>{}), 2);
  jobs.put("late");
  waiter.join();
}

TEST_F(Remote, AShutDownManagerSaysSo) {
  mp::Manager manager = connect();
  const auto counter = manager.get<mp::Proxy<Account>>("Account", 1);
  manager.shutdown();
  EXPECT_THROW(counter.call<int>("total"), mp::ProcessError);
  EXPECT_THROW(manager.get<int>("sum", 1, std::vector<int>{}), mp::ProcessError);
}

struct Place {
  mp::Address address;
};

void serve(const mp::AuthKey& key, const mp::Connection& told) {
  mp::ManagerServer server({"127.0.0.1", 0}, key);
  server.share<mp::QueueProxy<int>>("queue");
  told.send(server.address());
  server.serve_forever();
}

TEST(RemoteServers, CallsOfAKilledServerThrow) {
  const mp::AuthKey key = mp::current_authkey();
  auto [mine, its] = mp::Pipe();
  mp::Process server(serve, key, its);
  server.start();
  const mp::Manager manager = mp::Manager::connect(mine.recv<mp::Address>(), key);
  const auto queue = manager.get<mp::QueueProxy<int>>("queue");
  queue.put(1);
  EXPECT_EQ(queue.get(), 1);
  std::thread waiter([&] { EXPECT_THROW(queue.get(), mp::EndOfFile); });
  std::this_thread::sleep_for(50ms);  // most likely it waits by now
  server.kill();
  waiter.join();
  EXPECT_THROW(queue.put(1), mp::ProcessError);
  EXPECT_THROW(queue.put(1), mp::ProcessError);
  server.join();
}

class ManagerTls : public channel_test::Tls {};

TEST_F(ManagerTls, CallsAreEncrypted) {
  const mp::AuthKey key = mp::make_authkey("secret");
  EXPECT_EQ(key, key_of("secret"));
  mp::ManagerServer server({"", 0}, key, {.tls = shown("host")});
  server.share<mp::DictProxy<std::string, int>>("results");
  std::thread thread([&] { server.serve_forever(); });
  {
    const mp::Manager manager = mp::Manager::connect(server.address(), key, {.tls = trusting()});
    const auto results = manager.get<mp::DictProxy<std::string, int>>("results");
    results.set("one", 1);
    std::thread other([&] { EXPECT_EQ(results.get("one"), 1); });
    other.join();
  }
  EXPECT_THROW((void)mp::Manager::connect(server.address(), key, {.tls = mp::TlsOptions{}}),
               mp::AuthenticationError)
      << "the system does not know the authority";
  EXPECT_THROW((void)mp::Manager::connect(server.address(), key, {.timeout = 200ms}),
               mp::ProcessError);
  server.shutdown();
  thread.join();
}

}  // namespace
}  // namespace manager_test
