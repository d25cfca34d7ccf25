// 19: an account from which one process withdraws 10,000 times and to which another pays in as
// often.

#include <iostream>
#include <mutex>
#include <procession/procession.hpp>

namespace mp = procession;

void book(const mp::Value<int>& balance, const mp::Lock& lock, int amount) {
  for (int i = 0; i < 10'000; ++i) {
    std::scoped_lock guard(lock);
    balance.set_value(balance.value() + amount);
  }
}

int main() {
  mp::init();
  for (int run = 0; run < 10; ++run) {
    mp::Value<int> balance(100);
    mp::Lock lock;
    mp::Process withdraw(book, balance, lock, -1);
    mp::Process deposit(book, balance, lock, 1);
    withdraw.start();
    deposit.start();
    withdraw.join();
    deposit.join();
    std::cout << balance.value() << '\n';
  }
}
