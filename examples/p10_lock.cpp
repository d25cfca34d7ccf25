// 10: three processes add to one Value five times each, under a Lock.

#include <iostream>
#include <mutex>
#include <procession/procession.hpp>
#include <vector>

namespace mp = procession;

void add(const mp::Value<int>& value, const mp::Lock& lock) {
  for (int i = 0; i < 5; ++i) {
    std::scoped_lock guard(lock);
    value.set_value(value.value() + 1);  // two steps: the lock makes them one
  }
}

int main() {
  mp::init();
  mp::Value<int> value(0);
  mp::Lock lock;
  std::vector<mp::Process> processes;
  for (int i = 0; i < 3; ++i)
    processes.emplace_back(add, value, lock);
  for (mp::Process& process : processes)
    process.start();
  for (mp::Process& process : processes)
    process.join();
  std::cout << value.value() << '\n';
}
