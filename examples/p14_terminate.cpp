// A process can be ended from outside; its exit code tells which signal did it.

#include <procession/procession.hpp>

#include <chrono>
#include <iostream>
#include <thread>

namespace mp = procession;

void slow() {
  std::this_thread::sleep_for(std::chrono::seconds(3));
  std::cout << "the slow process is done\n";
}

int main() {
  mp::init();
  std::cout << std::boolalpha;

  mp::Process process(slow);
  process.start();
  std::cout << "alive: " << process.is_alive() << "\n";
  process.terminate();
  process.join();
  std::cout << "alive: " << process.is_alive() << "\n";
  std::cout << "exit code: " << process.exitcode().value() << "\n";
}
