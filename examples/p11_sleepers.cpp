// Three processes sleep one second each, at the same time: all are done after about one second.

#include <procession/procession.hpp>

#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

namespace mp = procession;
using Clock = std::chrono::steady_clock;  // one clock for all processes of a machine

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void sleeper(int number, Clock::time_point start) {
  const double from = seconds_since(start);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  std::cout << "process " << number << " slept from " << from << " to " << seconds_since(start)
            << "\n";
}

int main() {
  mp::init();

  const Clock::time_point start = Clock::now();
  std::vector<mp::Process> processes;
  for (int i = 1; i <= 3; ++i)
    processes.emplace_back(sleeper, i, start).start();
  for (mp::Process& process : processes)
    process.join();
  std::cout << "all done after " << seconds_since(start) << " s\n";
}
