// Processes have names: Process-1, Process-2, ... unless they are given one.

#include <procession/procession.hpp>

#include <iostream>
#include <vector>

namespace mp = procession;

void doubler(int number) {
  std::cout << number << " doubled to " << number * 2 << " by " << mp::current_process().name
            << "\n";
}

int main() {
  mp::init();

  std::vector<mp::Process> processes;
  for (const int number : {5, 10, 15, 20, 25})
    processes.emplace_back(doubler, number);
  mp::Process test({.name = "Test"}, doubler, 2);

  for (mp::Process& process : processes)
    process.start();
  test.start();
  test.join();
  for (mp::Process& process : processes)
    process.join();
}
