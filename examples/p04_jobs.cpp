// Three named jobs are started together and joined one after the other; none runs in the parent.

#include <procession/procession.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace mp = procession;

void job() {
  const mp::ProcessInfo self = mp::current_process();
  std::cout << self.name << " runs in process " << self.pid << "\n";
}

int main() {
  mp::init();
  std::cout << "the parent is process " << mp::current_process().pid << "\n";

  std::vector<mp::Process> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.emplace_back(mp::ProcessOptions{.name = "Job-" + std::to_string(i)}, job);
  }
  for (mp::Process& process : jobs)
    process.start();
  for (mp::Process& process : jobs)
    process.join();
  std::cout << "all jobs have ended\n";
}
