// 15: threads instead of processes. Three threads; three threads that add under a lock; threads
// that are joined one by one.

#include <iostream>
#include <mutex>
#include <procession/procession.hpp>
#include <string>
#include <vector>

namespace mp = procession;

std::mutex output;  // threads share everything: an ordinary mutex will do

void say(const std::string& text) {
  std::scoped_lock guard(output);
  std::cout << text << '\n';
}

void doubler(int n) {
  say(std::to_string(n) + " doubled to " + std::to_string(2 * n) + " by " +
      mp::current_thread().name);
}

int main() {
  mp::init();

  std::vector<mp::Thread> doublers;
  for (int n : {5, 10, 15})
    doublers.emplace_back(doubler, n);
  for (mp::Thread& thread : doublers)
    thread.start();
  for (mp::Thread& thread : doublers)
    thread.join();

  int total = 0;
  mp::Lock lock;
  {
    std::vector<mp::Thread> adders;
    for (int i = 0; i < 3; ++i) {
      adders.emplace_back([&] {
        for (int round = 0; round < 5; ++round) {
          std::scoped_lock guard(lock);
          ++total;
        }
      });
      adders.back().start();
    }
  }  // joined here
  std::cout << total << '\n';

  for (const char* name : {"first", "second", "third"}) {
    mp::Thread thread({.name = name}, [] { say(mp::current_thread().name); });
    thread.start();
    thread.join();
    std::cout << thread.name() << " has ended\n";
  }
}
