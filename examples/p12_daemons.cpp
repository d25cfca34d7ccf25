// Daemons do not hold up the end of the program: when the parent ends, they are terminated.

#include <procession/procession.hpp>

#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

namespace mp = procession;

void worker() {
  std::this_thread::sleep_for(std::chrono::seconds(3));
  std::cout << "a daemon outlived the program\n";
}

int main() {
  mp::init();

  std::vector<mp::Process> daemons;
  for (int i = 0; i < 3; ++i) {
    daemons.emplace_back(mp::ProcessOptions{.daemon = true}, worker).start();
    std::cout << "daemon " << daemons.back().pid() << "\n";
  }
  std::cout << "the parent ends\n";
}
