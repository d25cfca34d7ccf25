// 21: an object is served to other processes over TCP, to those that know the key.

#include <iostream>
#include <procession/procession.hpp>

namespace mp = procession;

class Account {
 public:
  int add(int amount) { return balance_ += amount; }

 private:
  int balance_ = 0;
};

void serve(const mp::AuthKey& key, const mp::Connection& starter) {
  Account account;
  mp::ManagerServer server({"127.0.0.1", 0}, key);  // any free port
  server.register_type<Account>("Account", mp::method<&Account::add>("add"));
  server.register_callable("get_account", [&]() -> Account& { return account; });
  starter.send(server.address());
  server.serve_forever();
}

void deposit(const mp::Address& address, const mp::AuthKey& key, int amount) {
  try {
    const mp::Manager manager = mp::Manager::connect(address, key);
    const auto account = manager.get<mp::Proxy<Account>>("get_account");
    std::cout << "balance: " << account.call<int>("add", amount) << std::endl;
  } catch (const mp::AuthenticationError&) {
    std::cout << "refused" << std::endl;
  }
}

int main() {
  mp::init();
  const mp::AuthKey key = mp::current_authkey();  // random, and the same in all of these processes
  auto [mine, its] = mp::Pipe();
  mp::Process server({.daemon = true}, serve, key, its);
  server.start();
  const auto address = mine.recv<mp::Address>();

  for (int amount : {10, 20}) {
    mp::Process client(deposit, address, key, amount);
    client.start();
    client.join();
  }
  mp::Process stranger(deposit, address, mp::make_authkey("a guess"), 1000);
  stranger.start();
  stranger.join();
  deposit(address, key, 12);
}
