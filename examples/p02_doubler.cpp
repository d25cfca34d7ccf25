// Five processes, each given its argument; each prints its result and its own process id.

#include <procession/procession.hpp>

#include <iostream>
#include <vector>

namespace mp = procession;

void doubler(int number) {
  std::cout << number << " doubled to " << number * 2 << " by process " << mp::current_process().pid
            << "\n";
}

int main() {
  mp::init();

  std::vector<mp::Process> processes;
  for (const int number : {5, 10, 15, 20, 25}) {
    processes.emplace_back(doubler, number).start();
  }
  for (mp::Process& process : processes)
    process.join();
}
