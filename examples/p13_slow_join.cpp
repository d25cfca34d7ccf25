// join() waits: the line after it is printed when the slow process has ended, not before.

#include <procession/procession.hpp>

#include <chrono>
#include <iostream>
#include <thread>

namespace mp = procession;
using Clock = std::chrono::steady_clock;

void slow() {
  std::this_thread::sleep_for(std::chrono::seconds(1));
  std::cout << "the slow process is done\n";
}

int main() {
  mp::init();

  const Clock::time_point start = Clock::now();
  mp::Process process(slow);
  process.start();
  process.join();
  const std::chrono::duration<double> seconds = Clock::now() - start;
  std::cout << "joined after " << seconds.count() << " s\n";
}
